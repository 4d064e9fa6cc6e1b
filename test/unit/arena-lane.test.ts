import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { Arena, type ArenaHandle } from '../../src/arena/arena.js';
import { LaneTrap } from '../../src/arena/lane.js';
import { MIB, Rig } from '../model/support/rig.js';
import { encodeFrame, OP } from '../model/support/wire.js';

describe('an arena', () => {
  test('is reached through its handle as it is posted to a thread', () => {
    const rig = new Rig({ lanes: 2 });
    rig.set('key', 'value');
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(rig.arena.handle);
    const received = receiveMessageOnPort(port2)?.message as ArenaHandle;
    port1.close();
    expect(received.memory.buffer).not.toBe(rig.arena.handle.memory.buffer);
    const there = new Rig({}, 1, Arena.attach(received));
    expect(there.get('key')).toBe('value');
    there.set('key', 'changed');
    expect(rig.get('key')).toBe('changed');
    expect(there.arena.stats()).toEqual(rig.arena.stats());
  });

  test('is one of many: what one holds another does not', () => {
    const rigs = [new Rig(), new Rig(), new Rig()];
    rigs.forEach((rig, index) => {
      rig.set('key', `of ${index}`);
    });
    rigs.forEach((rig, index) => {
      expect(rig.get('key')).toBe(`of ${index}`);
    });
  });

  test('refuses lanes that it does not have, and a hash key of another length', () => {
    const rig = new Rig({ lanes: 2 });
    for (const lane of [-1, 2, 0.5, Number.NaN]) {
      expect(() => rig.arena.openLane(lane)).toThrow(/there is no lane/);
    }
    const options = { memoryBytes: 16 * MIB, lanes: 1, hashKey: new Uint8Array(15) };
    expect(() => Arena.create(options)).toThrow(/16 bytes, not 15/);
  });

  test('lies above 2 GiB as well as below', () => {
    const rig = new Rig({ memoryBytes: 3 * 1024 * MIB, build: 'release' });
    expect(rig.set('key', 'value').status).toBe(0);
    expect(rig.get('key')).toBe('value');
    expect(rig.lane.next()).toBe(false);
    const { memory, segments } = rig.arena.stats();
    expect(memory.storeBytes).toBe(3 * 1024 * MIB);
    expect(segments.free).toBeLessThan(segments.total);
  });
});

describe('a lane', () => {
  test('counts what is queued and what room there is', () => {
    const { firstLane: lane, grants, nowMs } = new Rig();
    expect(lane.queuedBytes).toBe(0);
    const frame = encodeFrame([{ op: OP.PING, value: 'x' }]);
    const roomBytes = lane.roomBytes;
    expect(lane.push(1, grants, nowMs, frame)).toBe(true);
    expect(lane.queuedBytes).toBe(16 + 24);
    expect(lane.roomBytes).toBe(roomBytes - 40);
    expect(lane.push(1, grants, nowMs, new Uint8Array(lane.roomBytes + 1))).toBe(false);
    expect(lane.queuedBytes).toBe(40);
  });

  test('has no message before it executes and none after the last', () => {
    const { firstLane: lane, grants, nowMs } = new Rig();
    expect(lane.next()).toBe(false);
    lane.push(3, grants, nowMs, encodeFrame([{ op: OP.PING, value: 'x' }]));
    expect(lane.execute(nowMs)).toBe(0);
    expect(lane.next()).toBe(true);
    expect(lane.messageConnection).toBe(3);
    expect(lane.closeCode).toBe(0);
    expect(lane.message().length).toBe(lane.messageLength);
    expect(lane.memory.subarray(lane.messageAt).byteOffset).toBe(lane.messageAt);
    expect(lane.next()).toBe(false);
    expect(lane.takePending()).toBeUndefined();
  });

  test('executes nothing when nothing is queued', () => {
    const { lane, nowMs } = new Rig();
    expect(lane.execute(nowMs)).toBe(0);
    expect(lane.next()).toBe(false);
  });

  test('that meets a broken memory traps, says so, and does no more', () => {
    const rig = new Rig();
    rig.set('key', 'value');
    rig.lane.memory.fill(0xff, 65_536, 4 * MIB);
    expect(() => rig.get('key')).toThrow(LaneTrap);
    expect(rig.firstLane.trapped).toBe(true);
    expect(rig.lane.next()).toBe(false);
    expect(() => rig.lane.execute(rig.nowMs)).toThrow(/lane 0 of the core stopped/);
    expect(() => rig.lane.sweep(rig.nowMs, 1)).toThrow(LaneTrap);
    expect(() => rig.lane.takeOver(0, rig.nowMs)).toThrow(LaneTrap);
  });
});
