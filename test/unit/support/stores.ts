/** Stores of several arenas as tests look at them: what lies where, and one call at a time. */
import { WAIT } from '../../../src/arena/lane.js';
import { MIB, messageOf, Rig } from '../../model/support/rig.js';
import {
  type Answer,
  decodeAnswers,
  encodeFrame,
  OP,
  type Request,
} from '../../model/support/wire.js';

export const ARENAS = 3;
/** Longer than a request may have to wait for its feed or for memory. */
export const BUSY_MS = 1100;
const FEED_BYTES = 4096;

/** A rig over three arenas. */
export const openStore = (options = {}): Rig =>
  new Rig({ arenas: ARENAS, memoryBytes: 24 * MIB, lanes: 2, ...options });

/** The numbers below `count`. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** Text as the bytes of a key. */
export const keyBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The first `count` keys that one arena has. */
export function keysOf(rig: Rig, arena: number, count: number): string[] {
  const keys: string[] = [];
  for (let n = 0; keys.length < count; n++) {
    if (rig.store.arenaOf(keyBytes(`key ${n}`)) === arena) keys.push(`key ${n}`);
  }
  return keys;
}

/** A key of each arena. */
export const oneOfEach = (rig: Rig): string[] =>
  upTo(ARENAS).map((n) => keysOf(rig, n, 1)[0] ?? '');

/** Pushes requests of a connection, with ids from `firstId` on. */
export function push(
  rig: Rig,
  connection: number,
  requests: readonly Request[],
  firstId = 0,
): boolean {
  const frame = encodeFrame(requests.map((request, n) => ({ ...request, id: firstId + n })));
  return rig.lane.push(connection, rig.grants, rig.nowMs, frame);
}

/** Executes once; what it returned, and the messages there are. */
export function execute(rig: Rig) {
  const result = rig.lane.execute(rig.nowMs);
  const messages: { connection: number; closeCode: number; answers: Answer[] }[] = [];
  while (rig.lane.next()) {
    const { messageConnection: connection, closeCode } = rig.lane;
    messages.push({ connection, closeCode, answers: decodeAnswers(messageOf(rig.lane)) });
  }
  return { result, messages };
}

/** The ids of answers, in the order of numbers. */
export const idsOf = (answers: readonly Answer[]): number[] =>
  answers.map(({ id }) => id).sort((a, b) => a - b);

/** A store whose feeds are full for the keys of one arena: nobody reads them. */
export function choked(arena: number): Rig {
  const rig = openStore({ feedBytes: FEED_BYTES });
  rig.store.publish(true);
  const [key = ''] = keysOf(rig, arena, 1);
  // Records of 40 bytes leave 16 of 4096, too few for any.
  for (let n = 0; n < 110; n++) {
    push(rig, 1, [{ op: OP.SET, key, value: '' }]);
    if (execute(rig).result === WAIT) return rig;
  }
  throw new Error('the feed is never full');
}
