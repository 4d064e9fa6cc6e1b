/** A node that was away for longer than tombstones live, and three stores of the release core. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { systemTimers } from '../../../src/base/timers.js';
import { touchFile } from '../../../src/cluster/touchFile.js';
import { systemDevice } from '../../../src/log/device.js';
import { Absence, type TouchPlace } from '../../../src/net/peers/absence.js';
import type { Ask } from '../../../src/net/peers/pages.js';
import { AnswerReader } from '../../../src/protocol/answerReader.js';
import { type Configuration, NO_DIGEST } from '../../../src/ring/configuration.js';
import { ClusterView } from '../../../src/ring/view.js';
import { MIB, Rig, START_MS } from '../../model/support/rig.js';
import { FLAG, OP } from '../../model/support/wire.js';

const HOUR_MS = 3_600_000;
const LIMIT = { timeout: 10_000, interval: 5 };
const IDS = ['a', 'b', 'c'] as const;

const configuration: Configuration = {
  ...{ cluster: '1'.repeat(16), name: 'test', number: 1, previous: NO_DIGEST, epoch: 1 },
  ...{ strategy: 'multi-master', partitioner: 'hash' },
  layout: {
    members: IDS.map((id, n) => ({
      ...{ id, boot: '0'.repeat(16), host: '127.0.0.1', port: 7700 + n, gossipPort: 7800 + n },
      ...{ zone: '', weight: 1, passedOver: false },
    })),
    replicas: 3,
    ranges: [],
  },
};

function askOf(rig: Rig): Ask {
  return (request, settle) => {
    systemTimers.soon(() => {
      const [message] = rig.send(request);
      const reader = new AnswerReader();
      reader.reset(message?.bytes ?? new Uint8Array(0));
      reader.next();
      settle(reader);
    });
  };
}

/** The node `a`, what the others have, and when they were in touch. */
class Scene {
  readonly rigs = { a: this.#rig(), b: this.#rig(), c: this.#rig() };
  readonly touched = new Map<string, number>();
  readonly connected = new Set<string>(['b', 'c']);
  readonly view = new ClusterView();
  /** Hours since the start. */
  hours = 0;
  saved: number;
  #turns = 0;
  readonly absence: Absence;

  constructor(savedHours: number, hours: number, place: 'kept' | 'nowhere' = 'kept') {
    this.hours = hours;
    this.saved = START_MS + savedHours * HOUR_MS;
    this.view.identify('a');
    this.view.learn(configuration);
    const kept: TouchPlace = {
      load: () => this.saved,
      save: (touchedMs) => {
        this.saved = touchedMs;
      },
    };
    this.absence = new Absence({
      ...{ view: this.view, timers: systemTimers, askOwn: askOf(this.rigs.a) },
      clock: { nowMs: () => this.nowMs, monotonicMs: () => this.#turns * 1000 },
      log: { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} },
      place: place === 'kept' ? kept : undefined,
      isConnected: (id) => this.connected.has(id),
      askTouched: (id, settle) => systemTimers.soon(() => settle(this.touched.get(id))),
      ask: (id, request, settle) => askOf(this.rigs[id as 'b' | 'c'])(request, settle),
    });
  }

  get nowMs(): number {
    return START_MS + this.hours * HOUR_MS;
  }

  #rig(): Rig {
    const rig = new Rig({ build: 'release', memoryBytes: 8 * MIB, feedBytes: MIB });
    rig.store.publish(true, 'peers');
    return rig;
  }

  /** Has some nodes know a key since so many hours after the start. */
  put(key: string, hours: number, ...ids: readonly (typeof IDS)[number][]): void {
    const version = BigInt(START_MS + hours * HOUR_MS) << 22n;
    for (const id of ids) {
      this.rigs[id].one({ op: OP.MERGE, key, version, flags: FLAG.VERSION, value: 'v' });
    }
  }

  tick(): void {
    this.#turns += 10;
    this.absence.tick(this.#turns * 1000);
  }

  get kept(): string[] {
    return ['deleted', 'shared', 'own'].filter((key) => this.rigs.a.get(key) !== undefined);
  }
}

/** `a` was in touch one hour after the start, and comes back so many hours after it. */
function returning(hours: number): Scene {
  const scene = new Scene(1, hours);
  scene.put('shared', 0, 'a', 'b', 'c');
  scene.put('deleted', 0, 'a');
  scene.put('own', hours - 23, 'a');
  return scene;
}

describe('a node that comes back', () => {
  test('after a day drops what is old, if nobody has it who was in touch', async () => {
    const scene = returning(30);
    for (const id of ['b', 'c']) scene.touched.set(id, scene.nowMs);
    expect(scene.absence.isUnsure).toBe(true);
    expect(scene.absence.touchedMs).toBe(START_MS + HOUR_MS);
    scene.tick();
    await expect.poll(() => scene.absence.isUnsure, LIMIT).toBe(false);
    expect(scene.kept).toEqual(['shared', 'own']);
    expect(scene.absence.figures).toEqual({ absences: 1, dropped: 1 });
    expect([scene.absence.touchedMs, scene.saved]).toEqual([scene.nowMs, scene.nowMs]);
  });

  test('drops nothing when it was away for less', () => {
    const scene = returning(25);
    for (const id of ['b', 'c']) scene.touched.set(id, scene.nowMs);
    expect(scene.absence.isUnsure).toBe(false);
    scene.tick();
    expect(scene.kept).toEqual(['deleted', 'shared', 'own']);
    expect(scene.saved).toBe(scene.nowMs);
  });

  test('drops nothing when all were away', async () => {
    const scene = returning(1000);
    for (const id of ['b', 'c']) scene.touched.set(id, START_MS + 20 * HOUR_MS);
    scene.tick();
    await expect.poll(() => scene.absence.isUnsure, LIMIT).toBe(false);
    expect(scene.kept).toEqual(['deleted', 'shared', 'own']);
    expect(scene.absence.figures).toEqual({ absences: 0, dropped: 0 });
  });

  test('drops only what those have not who were in touch', async () => {
    const scene = returning(30);
    scene.put('deleted', 0, 'b');
    scene.touched.set('b', START_MS);
    scene.touched.set('c', scene.nowMs);
    scene.tick();
    await expect.poll(() => scene.absence.isUnsure, LIMIT).toBe(false);
    // What the one has that was away as well says nothing.
    expect(scene.kept).toEqual(['shared', 'own']);
  });

  test('stays unsure while it reaches no majority, or gets no answers', async () => {
    const scene = returning(30);
    scene.connected.clear();
    scene.tick();
    scene.connected.add('b');
    scene.tick();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(scene.absence.isUnsure).toBe(true);
    expect([scene.saved, scene.kept.length]).toEqual([START_MS + HOUR_MS, 3]);
    scene.touched.set('b', scene.nowMs);
    scene.tick();
    await expect.poll(() => scene.absence.isUnsure, LIMIT).toBe(false);
    expect(scene.kept).toEqual(['shared', 'own']);
  });

  test('is asked for it also when it ran all the time and was cut off', async () => {
    const scene = new Scene(0, 0, 'nowhere');
    scene.put('shared', 0, 'a', 'b', 'c');
    scene.put('deleted', 0, 'a');
    scene.tick();
    expect(scene.absence.isUnsure).toBe(false);
    scene.connected.clear();
    scene.hours = 25;
    scene.tick();
    scene.connected.add('b').add('c');
    for (const id of ['b', 'c']) scene.touched.set(id, scene.nowMs);
    scene.tick();
    expect(scene.absence.isUnsure).toBe(true);
    await expect.poll(() => scene.absence.isUnsure, LIMIT).toBe(false);
    expect(scene.kept).toEqual(['shared']);
  });

  test('notes every ten minutes that it is in touch, and at its end', () => {
    const scene = new Scene(0, 0);
    scene.hours = 1;
    scene.tick();
    expect(scene.saved).toBe(scene.nowMs);
    const noted = scene.saved;
    scene.hours += 0.1;
    scene.tick();
    expect(scene.saved).toBe(noted);
    scene.absence.stop();
    expect(scene.saved).toBe(scene.nowMs);
  });
});

describe('the time in a data folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'orlop-touched-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('is what was saved last, and not known when it is not there or makes no sense', () => {
    const place = touchFile(systemDevice, folder);
    expect(place.load()).toBe(0);
    place.save(START_MS);
    place.save(START_MS + 1.5);
    expect(touchFile(systemDevice, folder).load()).toBe(START_MS + 1);
    const path = join(folder, 'cluster.touched');
    expect(readFileSync(path, 'latin1')).toBe(`${START_MS + 1}\n`);
    for (const text of ['', '12', '1e9\n', '-5\n', `${'9'.repeat(16)}\n`]) {
      writeFileSync(path, text);
      expect([text, place.load()]).toEqual([text, 0]);
    }
  });
});
