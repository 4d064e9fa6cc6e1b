/** Questions of one thread to other nodes: each is settled, whatever becomes of the link. */
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.js';
import { seededRandom } from '../../../src/base/random.js';
import { systemTimers } from '../../../src/base/timers.js';
import { Forwarder } from '../../../src/net/peers/forwarder.js';
import { question } from '../../../src/net/peers/said.js';
import { NO_PASS } from '../../../src/net/peers/secret.js';
import type { Member } from '../../../src/ring/configuration.js';

const PATIENCE_MS = 60_000;

function memberAt(port: number): Member {
  const at = { host: '127.0.0.1', port, gossipPort: port + 1 };
  return { id: 'b', boot: '0'.repeat(16), ...at, zone: '', weight: 1, passedOver: false };
}

/** One whose links never come up, and say nothing when they are stopped. */
function forwarder(): Forwarder {
  return new Forwarder({
    ...{ self: () => 'a', pass: NO_PASS, clock: systemClock, timers: systemTimers },
    random: seededRandom(1),
    makeLink: () => ({ up: false, failed: false, start() {}, drop() {}, stop() {} }),
  });
}

function asked(by: Forwarder, member: Member): Promise<unknown> {
  const untilMs = systemClock.monotonicMs() + PATIENCE_MS;
  return new Promise((resolve) =>
    by.ask(member, question(Buffer.from('k'), true), untilMs, resolve),
  );
}

describe('a question that waits for a connection', () => {
  test('is settled when the node has another address', async () => {
    const roads = forwarder();
    const settled = asked(roads, memberAt(7700));
    expect(roads.reaches(memberAt(7800))).toBe(true);
    expect(await settled).toBeUndefined();
    roads.stop();
  });

  test('is settled when the node is a member no more', async () => {
    const roads = forwarder();
    const settled = asked(roads, memberAt(7700));
    roads.keep(new Set());
    expect(await settled).toBeUndefined();
    expect(roads.idle).toBe(true);
    roads.stop();
  });
});
