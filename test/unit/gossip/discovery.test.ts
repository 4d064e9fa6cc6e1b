import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { systemTimers } from '../../../src/base/timers.js';
import {
  Discovery,
  fixedSource,
  LOOK_EVERY_MS,
  type Resolve,
  splitAddress,
  textSource,
} from '../../../src/gossip/discovery.js';
import { addressOfHost, openUdp, resolveAt } from '../../../src/gossip/udp.js';
import { World } from '../../sim/world.js';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Answers to a DNS query of type A: the header, the question again, and the addresses. */
function answerTo(query: Buffer, hosts: readonly string[]): Buffer {
  let end = 12;
  while (query[end] !== 0) end += (query[end] ?? 0) + 1;
  const question = query.subarray(12, end + 5);
  const isA = question.readUInt16BE(question.length - 4) === 1;
  const records = isA ? hosts : [];
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  header.writeUInt32BE(0, 8);
  const answers = records.map((host) => {
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
    host.split('.').forEach((byte, at) => {
      record[12 + at] = Number(byte);
    });
    return record;
  });
  return Buffer.concat([header, question, ...answers]);
}

/** A small DNS server that answers every question about an IPv4 address with `hosts`. */
async function dnsServer(hosts: { now: readonly string[] }) {
  const socket: Socket = createSocket('udp4');
  let asked = 0;
  socket.on('message', (query, from) => {
    asked++;
    socket.send(answerTo(query, hosts.now), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  closers.push(() => socket.close());
  return { server: `127.0.0.1:${socket.address().port}`, asked: () => asked };
}

async function until(done: () => boolean): Promise<void> {
  for (let waitedMs = 0; !done() && waitedMs < 15_000; waitedMs += 20) await wait(20);
}

const never: Resolve = (_, found) => found([]);

describe('addresses', () => {
  it('are a host and a port', () => {
    expect(splitAddress('10.0.0.1:7701')).toEqual({ host: '10.0.0.1', port: 7701 });
    expect(splitAddress('[fd00::1]:1')).toEqual({ host: 'fd00::1', port: 1 });
    expect(splitAddress('node-1.example:65535')).toEqual({ host: 'node-1.example', port: 65_535 });
    expect(splitAddress('localhost:7701')?.host).toBe('127.0.0.1');
    for (const address of ['10.0.0.1', ':7701', 'a:0', 'a:65536', 'a b:1', 'a:1:2', '']) {
      expect(splitAddress(address)).toBeUndefined();
    }
  });
});

describe('discovery', () => {
  it('knows fixed addresses at once', () => {
    const world = new World(1);
    const source = fixedSource(['10.0.0.1:7701', '[fd00::1]:7701']);
    const discovery = new Discovery([source], never, world.addHost().timers);
    discovery.start();
    expect(discovery.places()).toEqual([
      { address: '10.0.0.1:7701', endpoints: ['10.0.0.1:7701'] },
      { address: '[fd00::1]:7701', endpoints: ['[fd00::1]:7701'] },
    ]);
  });

  it('asks a DNS server again, and follows its answers', async () => {
    const hosts = { now: ['10.0.0.1', '10.0.0.2'] };
    const { server, asked } = await dnsServer(hosts);
    const source = fixedSource(['nodes.example:7701']);
    // A clock of its own, so that the second look does not take its five seconds.
    const world = new World(1);
    const discovery = new Discovery([source], resolveAt(server), world.addHost().timers);
    discovery.start();
    const endpoints = (): string => discovery.places()[0]?.endpoints.join() ?? '';
    await until(() => endpoints() !== '');
    expect(endpoints()).toBe('10.0.0.1:7701,10.0.0.2:7701');
    hosts.now = ['10.0.0.3'];
    world.run(LOOK_EVERY_MS);
    await until(() => endpoints() === '10.0.0.3:7701');
    expect(endpoints()).toBe('10.0.0.3:7701');
    hosts.now = [];
    const before = asked();
    world.run(LOOK_EVERY_MS);
    await until(() => asked() > before + 1);
    await wait(50);
    expect(endpoints()).toBe('10.0.0.3:7701');
    discovery.stop();
  });

  it('reads a file again, and keeps what was in it while it is gone', () => {
    const folder = mkdtempSync(join(tmpdir(), 'orlop-seeds-'));
    closers.push(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'seeds');
    const read = (): string | undefined => {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return undefined;
      }
    };
    const world = new World(1);
    const discovery = new Discovery([textSource(read)], never, world.addHost().timers);
    const addresses = (): string[] => discovery.places().map(({ address }) => address);
    discovery.start();
    expect(addresses()).toEqual([]);
    writeFileSync(path, '10.0.0.1:7701 # the first\n10.0.0.2:7701, 10.0.0.3:7701\nnonsense\n');
    world.run(LOOK_EVERY_MS);
    expect(addresses()).toEqual(['10.0.0.1:7701', '10.0.0.2:7701', '10.0.0.3:7701']);
    rmSync(path);
    world.run(LOOK_EVERY_MS);
    expect(addresses().length).toBe(3);
    writeFileSync(path, '10.0.0.9:7701\n');
    world.run(LOOK_EVERY_MS);
    expect(addresses()).toEqual(['10.0.0.9:7701']);
  });

  it('looks at so many addresses and no more', () => {
    const world = new World(1);
    const many = Array.from({ length: 100 }, (_, n) => `10.0.0.${n}:7701`);
    const discovery = new Discovery([fixedSource(many)], never, world.addHost().timers);
    discovery.start();
    expect(discovery.places().length).toBe(64);
  });
});

describe('a UDP socket', () => {
  it('carries datagrams, and tells where they come from', async () => {
    const [a, b] = [await openUdp('127.0.0.1', 0), await openUdp('127.0.0.1', 0)];
    const got: string[] = [];
    b.onDatagram((from, bytes) => got.push(`${from} ${Buffer.from(bytes).toString()}`));
    a.send(`127.0.0.1:${b.port}`, Buffer.from('hello'));
    await until(() => got.length > 0);
    expect(got).toEqual([`127.0.0.1:${a.port} hello`]);
    await Promise.all([a.close(), b.close()]);
    a.send('127.0.0.1:9', Buffer.from('after the end'));
  });

  it('on a port that is taken is refused with advice', async () => {
    const first = await openUdp('127.0.0.1', 0);
    await expect(openUdp('127.0.0.1', first.port)).rejects.toThrow(/is taken: set gossip-port/);
    await first.close();
  });

  it('survives peers that are not there', async () => {
    const socket = await openUdp('127.0.0.1', 0);
    const gone = await openUdp('127.0.0.1', 0);
    await gone.close();
    for (let n = 0; n < 5; n++) socket.send(`127.0.0.1:${gone.port}`, Buffer.from('x'));
    await new Promise<void>((resolve) => systemTimers.after(50, resolve));
    await socket.close();
  });

  it('is on the address of a name', async () => {
    expect(await addressOfHost('10.0.0.1')).toBe('10.0.0.1');
    expect(['127.0.0.1', '::1']).toContain(await addressOfHost('localhost'));
    await expect(addressOfHost('no-such-name.invalid')).rejects.toThrow(/set host to an IP/);
  });
});
