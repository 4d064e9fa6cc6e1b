import { expect, test } from 'vitest';
import { describeBuilds } from '../model/support/builds.js';
import { ALL_GRANTS, START_MS } from '../model/support/rig.js';
import { FLAG, OP, type Request, STATUS } from '../model/support/wire.js';

const version = BigInt(START_MS + 1000) << 22n;

/** One good request for each verb, in the order of the bits of the grants. */
const REQUESTS: Request[] = [
  { op: OP.GET, key: 'key' },
  { op: OP.SET, key: 'key', value: 'v' },
  { op: OP.DELETE, key: 'key' },
  { op: OP.TOUCH, key: 'key' },
  { op: OP.INCR, key: 'number' },
  { op: OP.MERGE, key: 'key', value: 'v', version },
  { op: OP.SCAN },
  { op: OP.CLEAR },
  { op: OP.PING, value: 'hello' },
];

describeBuilds('permit', (open) => {
  test('is asked for every verb: a missing grant forbids that verb and no other', () => {
    for (const verb of REQUESTS.keys()) {
      const rig = open();
      rig.grants = ALL_GRANTS & ~(1 << verb);
      const forbidden = rig.run(REQUESTS).map((answer) => answer.status === STATUS.FORBIDDEN);
      expect(forbidden).toEqual(REQUESTS.map((_, other) => other === verb));
    }
  });

  test('without grants nothing happens', () => {
    const rig = open();
    rig.set('key', 'before');
    rig.grants = 0;
    for (const answer of rig.run(REQUESTS)) {
      expect(answer).toMatchObject({ status: STATUS.FORBIDDEN, value: undefined });
    }
    rig.grants = ALL_GRANTS;
    expect(rig.get('key')).toBe('before');
    expect(rig.get('number')).toBeUndefined();
  });

  test('changes are refused with a status where they can not be kept, all else is not', () => {
    const rig = open();
    rig.set('key', 'before');
    rig.arena.refuseChanges(STATUS.DISK_FULL);
    const refused = rig.run(REQUESTS).map(({ status }) => status === STATUS.DISK_FULL);
    expect(refused).toEqual([false, true, true, true, true, false, false, true, false]);
    // That is of the merge.
    expect(rig.get('key')).toBe('v');
    expect(rig.one({ op: OP.CLEAR, version: 5n }).status).toBe(STATUS.OK);
    rig.grants = 0;
    expect(rig.set('key', 'forbidden').status).toBe(STATUS.FORBIDDEN);
    rig.grants = ALL_GRANTS;
    expect(rig.set('key', 'x', { flags: FLAG.TOMBSTONE }).status).toBe(STATUS.BAD_REQUEST);
    rig.arena.refuseChanges(0);
    expect(rig.set('key', 'after').status).toBe(STATUS.OK);
  });

  test('the names of the grants are where the core says', () => {
    const rig = open();
    const bits = ['GET', 'SET', 'DELETE', 'TOUCH', 'INCR', 'MERGE', 'SCAN', 'CLEAR', 'PING'];
    bits.forEach((name, bit) => {
      expect(rig.arena.constant(`VERB_${name}`)).toBe(bit);
    });
    expect(rig.arena.constant('GRANTS_ALL')).toBe(ALL_GRANTS);
    expect(rig.arena.constant('GRANTS_CLIENT')).toBe(ALL_GRANTS & ~(1 << 5));
  });
});
