import { expect, test } from 'vitest';
import { Store } from '../../../src/arena/store.js';
import { HASTE_BYTES, Haste } from '../../../src/net/haste.js';
import type { Request } from '../../../src/protocol/request.js';
import { frameOf, get, set } from '../../e2e/support/rawSocket.js';

const MIB = 1024 * 1024;
const SIZES = { memoryBytes: 64 * MIB, maxValueBytes: MIB, feedBytes: 8 * MIB, lanes: 1 };

test.each([1, 3])('the log is woken when much was changed, over %i arenas', (arenas) => {
  const store = Store.create({ ...SIZES, arenas });
  store.publish(true);
  const lane = store.openLane(0);
  let nudges = 0;
  const haste = new Haste(lane, { nudge: () => nudges++ });
  const execute = (...requests: Request[]): void => {
    expect(lane.push(0, store.constant('GRANTS_CLIENT'), 0, frameOf(...requests))).toBe(true);
    lane.execute(1_700_000_000_000);
    while (lane.next());
    haste.look();
  };
  const tenth = Buffer.alloc(HASTE_BYTES / 10);
  for (let n = 0; n < 9; n++) execute(set(n, `key ${n}`, tenth), get(n, 'key 0'));
  expect(nudges).toBe(0);
  execute(set(9, 'key 9', tenth));
  expect(nudges).toBe(1);
  for (let n = 0; n < 9; n++) execute(set(n, `key ${n}`, tenth), get(n, 'key 0'));
  expect(nudges).toBe(1);
  for (let n = 0; n < 100; n++) execute(get(n, 'key 0'));
  expect(nudges).toBe(1);
  execute(set(9, 'key 9', Buffer.alloc(MIB - 1000)));
  expect(nudges).toBe(2);
});
