/** A key is changed while nodes talk: nothing fails, and links are not made anew for it. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { systemRandom } from '../../src/base/random.js';
import { LinkKeys } from '../../src/net/peers/linkKeys.js';
import { OpenerSeal } from '../../src/net/peers/linkSeal.js';
import { readOpening } from '../../src/net/peers/sealWire.js';
import { RawSocket } from '../e2e/support/rawSocket.js';
import { TappedTrio } from '../e2e/support/tappedTrio.js';

const LIMIT = { timeout: 30_000, interval: 100 };
const ending: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

/** Writes and reads at all nodes until it is told to stop; what went wrong. */
function talking(nodes: TappedTrio): { stop: () => Promise<string[]>; rounds: () => number } {
  const wrong: string[] = [];
  let [rounds, going] = [0, true];
  const talk = async (n: number): Promise<void> => {
    for (let round = 0; going; round++) {
      const [key, body] = [`known-${n}-${round % 50}`, `value-${n}-${round}`];
      const status = await nodes.put(n, key, body);
      const read = await nodes.get((n + 1) % 3, key);
      if (status !== 204 || read !== body) wrong.push(`${key}: ${status}, ${read} for ${body}`);
      rounds++;
    }
  };
  const all = Promise.all([0, 1, 2].map(talk));
  const stop = async (): Promise<string[]> => {
    going = false;
    await all;
    return wrong;
  };
  return { stop, rounds: () => rounds };
}

it('a key is changed without a gap', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'orlop-rotated-'));
  ending.push(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'keys');
  const [old, next] = [randomBytes(32), randomBytes(32)];
  const write = (...keys: Buffer[]): void =>
    writeFileSync(file, keys.map((key) => key.toString('base64')).join('\n'), { mode: 0o600 });
  write(old);
  const nodes = new TappedTrio();
  ending.push(() => nodes.end());
  await nodes.start(['--cluster-key-file', file]);
  const { tap, servers } = nodes;
  const openings = (): Buffer[] =>
    tap.messages.filter((message) => readOpening(message) !== undefined);
  // All links there will be are there once each node has been asked about each.
  const talk = talking(nodes);
  await expect.poll(talk.rounds, LIMIT).toBeGreaterThan(100);
  const before = openings().length;
  for (const [step, keys] of [[old, next], [next, old], [next]].entries()) {
    write(...keys);
    for (const server of servers) {
      const read = (): number => server.output().match(/cluster keys read again/g)?.length ?? 0;
      await expect.poll(read, LIMIT).toBe(step + 1);
    }
    const rounds = talk.rounds();
    await expect.poll(talk.rounds, LIMIT).toBeGreaterThan(rounds + 30);
  }
  await wait(200);
  expect(await talk.stop()).toEqual([]);
  // A link may be lost for another reason; for the key, all of them would have been made anew.
  expect(openings().length - before).toBeLessThan(before / 2);
  expect([tap.count('known-'), tap.count('value-')]).toEqual([0, 0]);
  // Threads have other keys, too: several connections, so that each thread gets some.
  for (let n = 0; n < 6; n++) {
    expect(await closeCodeFor(servers[n % 3]?.url ?? '', old)).toBe(4401);
    expect(await closeCodeFor(servers[n % 3]?.url ?? '', next)).toBe('replied');
  }
});

/** What a node makes of an opening with a key: what it closes with, or that it replies. */
async function closeCodeFor(url: string, key: Uint8Array): Promise<number | 'replied'> {
  const { socket, closed } = await RawSocket.open(url);
  socket.removeAllListeners('message');
  const replied = new Promise<'replied'>((resolve) => {
    socket.on('message', () => resolve('replied'));
  });
  const tell = (message: Uint8Array): void => socket.send(message);
  const keys = new LinkKeys([key], 'orlop');
  new OpenerSeal({ keys, random: systemRandom, tell }, () => {}).open();
  const outcome = await Promise.race([replied, closed.then(({ code }) => code)]);
  socket.terminate();
  return outcome;
}
