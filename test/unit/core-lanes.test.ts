import { expect, test } from 'vitest';
import { describeStores } from '../model/support/builds.js';
import { MIB } from '../model/support/rig.js';
import { encodeFrame, OP, STATUS } from '../model/support/wire.js';

describeStores('lanes', (open) => {
  test('see what the others write', () => {
    const one = open({ lanes: 3 });
    const two = one.beside(1);
    const three = one.beside(2);
    one.set('key', 'from one');
    expect(two.get('key')).toBe('from one');
    two.set('key', 'from two');
    expect(three.get('key')).toBe('from two');
    three.delete('key');
    expect(one.get('key')).toBeUndefined();
  });

  test('take turns at a counter without losing a count', () => {
    const one = open({ lanes: 2 });
    const two = one.beside(1);
    for (let round = 0; round < 500; round++) {
      one.incr('n');
      two.incr('n', { delta: 2n });
    }
    expect(one.get('n')).toBe('1500');
  });

  test('share the memory: one can use what another gave up', () => {
    const one = open({ lanes: 2, memoryBytes: 2 * MIB, segmentBytes: 8192 });
    const two = one.beside(1);
    for (let index = 0; index < 20_000; index++) {
      one.set(`one ${index}`, 'x'.repeat(100));
      if (index % 4 === 0) expect(two.set(`two ${index}`, 'y'.repeat(400)).status).toBe(STATUS.OK);
    }
    expect(one.get('two 19996')).toBe('y'.repeat(400));
  });

  test('of a thread that died are taken over, and their memory comes back', () => {
    const one = open({ lanes: 2, memoryBytes: 2 * MIB, segmentBytes: 8192 });
    for (let death = 0; death < 200; death++) {
      const dying = one.beside(1);
      for (let index = 0; index < 50; index++) dying.set(`dying ${index}`, `${death} ${index}`);
      dying.lane.push(1, dying.grants, dying.nowMs, encodeFrame([{ op: OP.GET, key: 'x' }]));
      one.lane.takeOver(1, one.nowMs);
      expect(one.get('dying 49')).toBe(`${death} 49`);
    }
    for (let index = 0; index < 20_000; index++) {
      expect(one.set(`key ${index}`, 'x'.repeat(100)).status).toBe(STATUS.OK);
    }
    expect(one.store.stats().busy).toBe(0);
  });

  test('count on after a takeover', () => {
    const one = open({ lanes: 2 });
    const two = one.beside(1);
    for (let index = 0; index < 10; index++) two.set(`key ${index}`, 'v');
    one.lane.takeOver(1, one.nowMs);
    expect(one.store.stats().verbs.set.ok).toBe(10);
    const again = one.beside(1);
    for (let index = 0; index < 10; index++) again.get(`key ${index}`);
    expect(one.store.stats()).toMatchObject({ hits: 10, items: 10 });
    expect(one.store.stats().verbs.set.ok).toBe(10);
  });
});
