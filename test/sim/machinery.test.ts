/** The simulator itself: time, hosts, network and disk do what they say, from a seed alone. */
import { describe, expect, it } from 'vitest';
import { Rig } from '../model/support/rig.js';
import { Agenda } from './agenda.js';
import { storeOf } from './core.js';
import { runMembership } from './membershipRun.js';
import { faultsOf } from './report.js';
import { World } from './world.js';

describe('the agenda', () => {
  it('runs what is due in the order of time, and of writing at the same time', () => {
    const agenda = new Agenda();
    const ran: string[] = [];
    for (const [at, name] of [
      [5, 'c'],
      [1, 'a'],
      [5, 'd'],
      [2, 'b'],
      [9, 'e'],
    ] as const) {
      agenda.at(at, () => ran.push(`${name}@${agenda.nowMs}`));
    }
    agenda.run(6);
    expect(ran).toEqual(['a@1', 'b@2', 'c@5', 'd@5']);
    expect(agenda.nowMs).toBe(6);
  });

  it('keeps the order among thousands', () => {
    const [agenda, times] = [new Agenda(), [] as number[]];
    const { random } = new World(3);
    for (let n = 0; n < 5_000; n++) agenda.at(random.below(1_000), () => times.push(agenda.nowMs));
    agenda.run(1_000);
    expect(times.length).toBe(5_000);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});

describe('a host', () => {
  it('has timers that can be called off', () => {
    const world = new World(1);
    const { timers } = world.addHost();
    const ran: string[] = [];
    timers.after(10, () => ran.push('once'));
    timers.after(10, () => ran.push('never')).cancel();
    const often = timers.every(3, () => {
      ran.push('often');
      if (ran.length === 3) often.cancel();
    });
    world.run(100);
    expect(ran).toEqual(['often', 'often', 'often', 'once']);
  });

  it('that stands still does everything afterwards, timers first', () => {
    const world = new World(1);
    const [a, b] = [world.addHost(), world.addHost()];
    const got: string[] = [];
    b.datagrams(1).onDatagram(() => got.push('datagram'));
    b.timers.after(20, () => got.push(`timer at ${Math.round(world.nowMs)}`));
    b.pause(1_000);
    a.datagrams(1).send(`${b.address}:1`, new Uint8Array(1));
    world.run(999);
    expect(got).toEqual([]);
    world.run(2);
    expect(got).toEqual(['timer at 1000', 'datagram']);
  });

  it('that crashes forgets what it was about to do', () => {
    const world = new World(1);
    const host = world.addHost();
    const ran: string[] = [];
    host.start(() => ({ stop: () => ran.push('stopped') }));
    host.timers.after(10, () => ran.push('timer'));
    host.crash(false);
    world.run(100);
    expect(ran).toEqual(['stopped']);
    expect(host.running).toBe(false);
  });

  it('has a wall clock that may be off, and a steady one that is not', () => {
    const world = new World(1);
    const { clock } = world.addHost();
    const [wallMs, steadyMs] = [clock.nowMs(), clock.monotonicMs()];
    world.host('n1').skewMs = -288_000;
    world.run(1_000);
    expect(clock.nowMs() - wallMs).toBe(1_000 - 288_000);
    expect(clock.monotonicMs() - steadyMs).toBeCloseTo(1_000);
  });
});

describe('a store on a host', () => {
  it('is the release core, and knows no time and no chance but those of its host', () => {
    const run = (): string[] => {
      const world = new World(5);
      const host = world.addHost();
      host.skewMs = 100_000;
      const rig = new Rig({}, 0, storeOf(host));
      return Array.from({ length: 50 }, (_, n) => {
        world.run(host.random.below(1_000));
        rig.nowMs = host.clock.nowMs();
        return String(rig.set(`key ${n % 7}`, 'x').version);
      });
    };
    const versions = run();
    expect(versions).toEqual(run());
    const firstMs = Number(BigInt(versions[0] ?? 0) >> 22n);
    expect(firstMs - 1_800_000_100_000).toBeGreaterThanOrEqual(0);
    expect(firstMs - 1_800_000_100_000).toBeLessThan(1_000);
  });
});

describe('a disk', () => {
  it('keeps what was synced, and after a crash little else', () => {
    const world = new World(1);
    const { disk } = world.addHost();
    let synced = 0;
    disk.write('a', Buffer.from('1'), () => synced++);
    world.run(10);
    disk.write('a', Buffer.from('2'), () => synced++);
    expect(Buffer.from(disk.read('a') ?? []).toString()).toBe('1');
    disk.crash(false);
    world.run(10);
    expect(synced).toBe(1);
    expect(disk.read('a')).toBeDefined();
    disk.crash(true);
    expect(disk.read('a')).toBeUndefined();
  });
});

describe('the network', () => {
  it('loses, doubles and cuts as it is told', () => {
    const world = new World(1);
    const [a, b] = [world.addHost(), world.addHost()];
    let got = 0;
    b.datagrams(1).onDatagram(() => got++);
    const socket = a.datagrams(1);
    const send = (): number => {
      got = 0;
      for (let n = 0; n < 2_000; n++) socket.send(`${b.address}:1`, new Uint8Array(1));
      world.run(10_000);
      return got;
    };
    expect(send()).toBe(2_000);
    world.network.weather = { ...world.network.weather, loss: 0.25 };
    expect(Math.abs(send() - 1_500)).toBeLessThan(100);
    world.network.weather = { ...world.network.weather, loss: 0, duplication: 0.5 };
    expect(Math.abs(send() - 3_000)).toBeLessThan(100);
    world.network.cut(`${b.address}:1`, `${a.address}:1`);
    expect(send()).toBeGreaterThan(2_000);
    world.network.cut(`${a.address}:1`, `${b.address}:1`);
    expect(send()).toBe(0);
    world.network.mend();
    expect(send()).toBeGreaterThan(2_000);
  });
});

describe('a seed', () => {
  it('gives the same run each time, and another one another', () => {
    const [one, again, other] = [runMembership(11), runMembership(11), runMembership(12)];
    expect(again).toEqual(one);
    expect(other.hash).not.toBe(one.hash);
  });

  it('with too few operations or a fault that never struck has failed', () => {
    const report = {
      ...{ seed: 1, nodes: 3, acked: 999, faultsFired: { loss: 3, pause: 0 } },
      ...{ simulatedMs: 1, events: 1, hash: '', violations: ['x'] },
    };
    expect(faultsOf(report)).toEqual([
      'x',
      'the fault pause never struck',
      'only 999 operations were acknowledged',
    ]);
  });
});
