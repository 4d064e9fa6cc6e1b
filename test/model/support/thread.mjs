/**
 * One thread of the many-threads tests: it runs random requests through a lane of its own and
 * checks every answer by itself, then tells what it did. It throws at the first answer that can't
 * be right.
 *
 * A value says which key it belongs to, who wrote it and as which of his writes, and all its
 * further bytes follow from that; so a torn or misplaced value shows. For each key the thread
 * remembers what it saw last. From then on it must see a higher version, or the same version and
 * the same value; and of one writer only later writes.
 *
 *   value   0 key u32 | 4 writer u32 | 8 sequence u32 | 12 length u32 | words made of those
 *
 * Counters and compare-and-sets are logged: the test puts the logs of all threads together and sees
 * whether each took effect exactly once.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Store } from '../../../dist/src/arena/store.js';

const OP = { GET: 0x10, SET: 0x11, DELETE: 0x12, TOUCH: 0x13, INCR: 0x14, MERGE: 0x15, SCAN: 0x16 };
const CLEAR = 0x17;
const FLAG = { TTL: 1, VERSION: 2, IF_ABSENT: 256, RETURN_OLD: 2048, WITH_META: 4096 };
const ANSWER_VERSION = 1;
const ANSWER_TTL = 2;
const ANSWER_CURSOR = 4;
const ANSWER_HAS_VALUE = 16;
const HEADER = 16;
const ALL_GRANTS = 0x1ff;

const { handle, laneIndex, writer, seed, options, shared } = workerData;
const {
  operations,
  hotKeys,
  tailKeys,
  counters,
  mergeKeys,
  largest,
  clears,
  mix: mixName,
} = options;
/** Shared with the test: how far each lane is, and whether to stop. */
const progress = new Int32Array(shared);
const STOP = progress.length - 1;

const store = Store.attach(handle);
const lane = store.openLane(laneIndex);
/** The memory of the current message; several arenas have several. */
let memory = lane.memory;
let view = new DataView(lane.buffer);

let state = seed >>> 0;
/** 32 random bits (mulberry32). */
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let word = Math.imul(state ^ (state >>> 15), 1 | state);
  word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
  return (word ^ (word >>> 14)) >>> 0;
}
const below = (limit) => random() % limit;

const utf8 = new TextEncoder();
const PLAIN = hotKeys + tailKeys;
const keys = [];
for (let key = 0; key < PLAIN + counters + mergeKeys; key++) {
  const kind = key < hotKeys ? 'hot' : key < PLAIN ? 'tail' : key < PLAIN + counters ? 'n' : 'm';
  keys.push(utf8.encode(`${kind}:${key}:${'.'.repeat((key * 7) % 40)}`));
}

/** What was seen last of each key; a version of 0 stands for nothing. */
const seenHigh = new Uint32Array(keys.length);
const seenLow = new Uint32Array(keys.length);
const seenWriter = new Uint32Array(keys.length);
const seenSequence = new Uint32Array(keys.length);

const BATCH = 200;
const kinds = new Uint8Array(BATCH);
const keyOf = new Uint32Array(BATCH);
const sequenceOf = new Uint32Array(BATCH);
const wantedHigh = new Uint32Array(BATCH);
const wantedLow = new Uint32Array(BATCH);

const frame = new Uint8Array(BATCH * 200 + 4 * largest + 65_536);
const out = new DataView(frame.buffer);
let end = 0;
let sequence = 0;
const log = { counts: [], swaps: [] };
const done = { operations: 0, hits: 0, misses: 0, waits: 0, busy: 0, absenceMs: 0 };

const mix = (key, by, nth) =>
  (Math.imul(key + 1, 0x9e3779b1) ^ Math.imul(by + 7, 0x85ebca6b) ^ Math.imul(nth, 0xc2b2ae35)) | 0;

function fail(what, detail) {
  throw new Error(
    `lane ${laneIndex} seed ${seed} after ${done.operations}: ${what} ${JSON.stringify(detail)}`,
  );
}

function valueLength() {
  const dice = below(1000);
  if (dice < 900) return HEADER + below(100);
  if (dice < 995) return HEADER + below(1200);
  return HEADER + below(largest - HEADER);
}

function writeValue(at, key, nth, length) {
  out.setUint32(at, key, true);
  out.setUint32(at + 4, writer, true);
  out.setUint32(at + 8, nth, true);
  out.setUint32(at + 12, length, true);
  let word = mix(key, writer, nth);
  let place = at + HEADER;
  for (; place + 4 <= at + length; place += 4) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) | 0;
    out.setInt32(place, word, true);
  }
  for (; place < at + length; place++) frame[place] = nth;
}

/**
 * Checks that the bytes are one whole value of `key`; returns nothing, leaves writer and sequence.
 */
let readWriter = 0;
let readSequence = 0;
function readValue(at, limit, key) {
  const length = limit - at;
  if (length < HEADER) fail('a short value', { key, length });
  readWriter = view.getUint32(at + 4, true);
  readSequence = view.getUint32(at + 8, true);
  if (view.getUint32(at, true) !== key)
    fail('the value of another key', { key, is: view.getUint32(at, true) });
  if (view.getUint32(at + 12, true) !== length) fail('a value of another length', { key, length });
  let word = mix(key, readWriter, readSequence);
  let place = at + HEADER;
  for (; place + 4 <= limit; place += 4) {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) | 0;
    if (view.getInt32(place, true) !== word)
      fail('a torn value', { key, place: place - at, length });
  }
  for (; place < limit; place++) {
    if (memory[place] !== (readSequence & 0xff)) fail('a torn end', { key });
  }
}

/** Appends a request; fields are pairs of words. */
function put(id, op, flags, key, fields, valueBytes) {
  const name = key < 0 ? keys[0].subarray(0, 0) : keys[key];
  const at = end;
  let place = at + 20;
  for (const [low, high] of fields) {
    out.setUint32(place, low, true);
    out.setUint32(place + 4, high, true);
    place += 8;
  }
  frame.set(name, place);
  place += name.length;
  if (valueBytes > 0) writeValue(place, key, sequenceOf[id], valueBytes);
  place += valueBytes;
  out.setUint32(at, place - at, true);
  out.setUint32(at + 4, id, true);
  out.setUint32(at + 8, op, true);
  out.setUint16(at + 12, flags, true);
  out.setUint16(at + 14, name.length, true);
  out.setUint32(at + 16, 0, true);
  end = place;
  kinds[id] = op;
  keyOf[id] = key < 0 ? 0xffffffff : key;
}

const anyKey = () => (below(2) === 0 ? below(hotKeys) : hotKeys + below(tailKeys));
const ttl = () => [1 + below(40), 0];

function putSet(id) {
  sequenceOf[id] = ++sequence;
  const dice = below(20);
  const old = dice < 3 ? FLAG.RETURN_OLD : 0;
  if (dice === 3)
    return put(id, OP.SET, FLAG.WITH_META | FLAG.IF_ABSENT, anyKey(), [], valueLength());
  if (dice < 6) return put(id, OP.SET, FLAG.WITH_META | FLAG.TTL, anyKey(), [ttl()], valueLength());
  return put(id, OP.SET, FLAG.WITH_META | old, anyKey(), [], valueLength());
}

/** Sets over the version that was seen last. */
function putSwap(id) {
  const key = below(hotKeys);
  sequenceOf[id] = ++sequence;
  wantedHigh[id] = seenHigh[key];
  wantedLow[id] = seenLow[key];
  const version = [seenLow[key], seenHigh[key]];
  put(id, OP.SET, FLAG.WITH_META | FLAG.VERSION, key, [version], valueLength());
}

function putMerge(id, nowMs) {
  sequenceOf[id] = ++sequence;
  const version =
    (BigInt(nowMs - below(20)) << 22n) | BigInt(0x200000 + writer * 4096 + below(4096));
  const field = [Number(version & 0xffffffffn), Number(version >> 32n)];
  put(id, OP.MERGE, FLAG.VERSION, PLAIN + counters + below(mergeKeys), [field], valueLength());
}

function putAny(id, nowMs) {
  const dice = below(1000);
  if (dice < 480) put(id, OP.GET, FLAG.WITH_META, anyKey(), [], 0);
  else if (dice < 780) putSet(id);
  else if (dice < 830) putSwap(id);
  else if (dice < 890) put(id, OP.DELETE, 0, anyKey(), [], 0);
  else if (dice < 940) put(id, OP.TOUCH, FLAG.WITH_META | FLAG.TTL, anyKey(), [ttl()], 0);
  else if (dice < 975) put(id, OP.INCR, FLAG.WITH_META, PLAIN + below(counters), [], 0);
  else if (dice < 985) putMerge(id, nowMs);
  else if (dice < 997) put(id, OP.GET, FLAG.WITH_META, PLAIN + counters + below(mergeKeys), [], 0);
  else if (clears && dice === 999 && below(50) === 0) put(id, CLEAR, 0, -1, [], 0);
  else put(id, OP.SCAN, 0, -1, [], 0);
}

/** Few keys that come and go all the time: inserts meet inserts, removals and moves. */
function putInsert(id) {
  const dice = below(100);
  const key = below(hotKeys);
  sequenceOf[id] = ++sequence;
  if (dice < 20) put(id, OP.GET, FLAG.WITH_META, key, [], 0);
  else if (dice < 45) put(id, OP.SET, FLAG.WITH_META, key, [], HEADER + below(30));
  else if (dice < 65) put(id, OP.DELETE, 0, key, [], 0);
  else if (dice < 85) put(id, OP.INCR, FLAG.WITH_META, PLAIN + below(counters), [], 0);
  else if (dice < 95) put(id, OP.DELETE, 0, PLAIN + below(counters), [], 0);
  else put(id, OP.SET, FLAG.WITH_META, hotKeys + below(tailKeys), [], HEADER + below(200));
}

const putOne = mixName === 'inserts' ? putInsert : putAny;

/** Notes the version of something new of `key`: above all that was seen. */
function noteNew(key, high, low, nth) {
  if (high < seenHigh[key] || (high === seenHigh[key] && low <= seenLow[key])) {
    fail('a write does not raise the version', {
      key,
      high,
      low,
      seen: [seenHigh[key], seenLow[key]],
    });
  }
  seenHigh[key] = high;
  seenLow[key] = low;
  if (nth === 0) return;
  seenWriter[key] = writer;
  seenSequence[key] = nth;
}

/** Notes what was read: the same as before, or something later. */
function noteRead(key, high, low) {
  const same = high === seenHigh[key] && low === seenLow[key];
  if (high < seenHigh[key] || (high === seenHigh[key] && low < seenLow[key])) {
    fail('a version goes back', { key, high, low, seen: [seenHigh[key], seenLow[key]] });
  }
  const sameWriter = readWriter === seenWriter[key];
  if (same && !(sameWriter && readSequence === seenSequence[key]) && seenWriter[key] !== 0) {
    fail('one version has two values', { key, readWriter, readSequence });
  }
  if (!same && sameWriter && readSequence < seenSequence[key]) {
    fail('an older write comes back', { key, readWriter, readSequence, seen: seenSequence[key] });
  }
  seenHigh[key] = high;
  seenLow[key] = low;
  seenWriter[key] = readWriter;
  seenSequence[key] = readSequence;
}

/** The words of the current answer. */
const answer = { status: 0, flags: 0, op: 0, high: 0, low: 0, bodyAt: 0, bodyEnd: 0 };

function readAnswer(at) {
  answer.status = memory[at + 8];
  answer.flags = memory[at + 9];
  answer.op = memory[at + 11];
  let place = at + 12;
  if (answer.flags & ANSWER_VERSION) {
    answer.low = view.getUint32(place, true);
    answer.high = view.getUint32(place + 4, true);
    place += 8;
  }
  if (answer.flags & ANSWER_TTL) place += 8;
  if (answer.flags & ANSWER_CURSOR) place += 8;
  answer.bodyAt = place;
  answer.bodyEnd = at + view.getUint32(at, true);
}

const isPlain = (key) => key < PLAIN;

function checkGet(key) {
  if (answer.status === 1) {
    done.misses++;
    return;
  }
  if (answer.status !== 0) fail('a get is refused', { key, status: answer.status });
  done.hits++;
  readValue(answer.bodyAt, answer.bodyEnd, key);
  if (isPlain(key)) noteRead(key, answer.high, answer.low);
}

function checkSet(id, key) {
  const swapped = wantedHigh[id] !== 0 || wantedLow[id] !== 0;
  if (answer.status === 0) {
    if (swapped) log.swaps.push(key, wantedHigh[id], wantedLow[id]);
    noteNew(key, answer.high, answer.low, sequenceOf[id]);
    if (answer.flags & ANSWER_HAS_VALUE) readValue(answer.bodyAt, answer.bodyEnd, key);
    return;
  }
  if (answer.status > 3) fail('a set is refused', { key, status: answer.status });
}

function checkCount(key) {
  let text = '';
  for (let at = answer.bodyAt; at < answer.bodyEnd; at++) text += String.fromCharCode(memory[at]);
  noteNew(key, answer.high, answer.low, 0);
  if (!/^[1-9][0-9]*$/.test(text)) fail('a counter is no number', { key, text });
  log.counts.push(key, answer.high, answer.low, Number(text));
}

function checkScan() {
  let at = answer.bodyAt;
  while (at < answer.bodyEnd) {
    const length = memory[at] | (memory[at + 1] << 8);
    const colon = memory.indexOf(0x3a, at + 2);
    let digits = '';
    for (let place = colon + 1; memory[place] !== 0x3a; place++)
      digits += String.fromCharCode(memory[place]);
    const name = keys[Number(digits)];
    if (name === undefined || name.length !== length)
      fail('a scan lists a key that nobody made', { digits });
    at += 2 + length;
  }
  if (at !== answer.bodyEnd) fail('a scan ends within a key', {});
}

function checkAnswer(id) {
  const key = keyOf[id];
  const { status } = answer;
  if (answer.op !== kinds[id])
    fail('an answer to another question', { op: answer.op, asked: kinds[id] });
  if (status === 21) {
    done.busy++;
    return;
  }
  if (status >= 16) fail('an error', { op: answer.op, key, status });
  if (answer.op === OP.GET) checkGet(key);
  else if (answer.op === OP.SET) checkSet(id, key);
  else if (answer.op === OP.TOUCH && status === 0) noteNew(key, answer.high, answer.low, 0);
  else if (answer.op === OP.INCR) checkCount(key);
  else if (answer.op === OP.SCAN) checkScan();
}

/**
 * A touch keeps the value but makes a version of its own, which others may read under any writer.
 */
function forgetWriter(id) {
  if (kinds[id] !== OP.TOUCH || answer.status !== 0) return;
  seenWriter[keyOf[id]] = 0;
}

const rest = new Int32Array(new SharedArrayBuffer(4));

/** Which request of each key was answered last, and the next of them in a frame. */
const lastOf = new Map();
function nextOf(id, count) {
  const key = keyOf[id];
  let next = lastOf.has(key) ? lastOf.get(key) + 1 : 0;
  while (next < count && keyOf[next] !== key) next++;
  lastOf.set(key, next);
  return next;
}

/** When this thread ran the core last. */
let ranMs = performance.now();

/** Runs the core, and remembers for how long it had not: the machine may be busy elsewhere. */
function execute() {
  const startMs = performance.now();
  done.absenceMs = Math.max(done.absenceMs, startMs - ranMs);
  ranMs = startMs;
  return lane.execute(Date.now());
}

function drain(count) {
  let answered = 0;
  lastOf.clear();
  for (;;) {
    const result = execute();
    while (lane.next()) {
      const limit = lane.messageAt + lane.messageLength;
      if (memory !== lane.memory) {
        memory = lane.memory;
        view = new DataView(lane.buffer);
      }
      for (let at = lane.messageAt; at < limit; at += view.getUint32(at, true)) {
        readAnswer(at);
        const id = view.getUint32(at + 4, true);
        // Several arenas answer each in its order.
        const expected = store.arenas.length === 1 ? answered : nextOf(id, count);
        if (id !== expected) fail('answers out of order', { id, expected });
        answered++;
        checkAnswer(id);
        forgetWriter(id);
      }
    }
    if (result === 0) break;
    if (result === 2) {
      done.waits++;
      Atomics.wait(rest, 0, 0, 1);
    }
  }
  if (answered !== count) fail('answers are missing', { answered, count });
}

while (done.operations < operations && Atomics.load(progress, STOP) === 0) {
  const count = 1 + below(BATCH);
  const nowMs = Date.now();
  end = 0;
  for (let id = 0; id < count; id++) {
    wantedHigh[id] = 0;
    wantedLow[id] = 0;
    putOne(id, nowMs);
    if (end > frame.length - largest - 65_536) fail('the frame is too short', { end });
  }
  if (!lane.push(1, ALL_GRANTS, nowMs, frame.subarray(0, end)))
    fail('no room in the inbox', { end });
  drain(count);
  done.operations += count;
  Atomics.store(progress, laneIndex, done.operations);
}

parentPort.postMessage({
  ...done,
  counts: Float64Array.from(log.counts),
  swaps: Float64Array.from(log.swaps),
});
