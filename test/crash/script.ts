/**
 * What is done to a node, always the same, one thing after the other: so the calls of its log are
 * the same in each run, and a fault can be put at each of them. The values are long, so that files
 * of a mebibyte end and begin all the time.
 */
import { messageOf } from '../../src/base/errors.js';
import { STATUS } from '../../src/protocol/status.js';
import { OP_DELETE, OP_SET } from '../../src/protocol/wire.js';
import { RawSocket } from '../e2e/support/rawSocket.js';
import { KeyOracle, type State, type Tally } from './oracle.js';

const KEYS = 5;
const STEPS = 24;
const VALUE_BYTES = 120_000;
/** What a node answers whose disk does not do what it should. */
const REFUSALS: readonly number[] = [STATUS.DISK_FULL, STATUS.DISK_FAILED, STATUS.BUSY];

/** How far a run of the script came. */
export interface Played {
  /** Whether the node ended before the script did. */
  readonly ended: boolean;
}

/** The keys of the script, in the states that an earlier run left. */
export function scriptKeys(states: readonly State[] = []): KeyOracle[] {
  return Array.from({ length: KEYS }, (_, n) => new KeyOracle(`key ${n}`, states[n]));
}

/** Plays the script until it is over or the node is gone; `name` tells its values from others. */
export async function play(
  url: string,
  name: string,
  keys: readonly KeyOracle[],
  tally: Tally,
): Promise<Played> {
  const socket = await RawSocket.greeted(url).catch(() => undefined);
  if (socket === undefined) return { ended: true };
  try {
    for (let step = 0; step < STEPS; step++) {
      const key = keys[step % KEYS] as KeyOracle;
      const remove = step % 7 === 6;
      const value = `${name} ${step} `.padEnd(VALUE_BYTES, 'x');
      const sent = key.send(remove ? undefined : value);
      const base = { id: step + 1, key: key.key };
      const { status } = await socket.ask(
        remove ? { ...base, opcode: OP_DELETE } : { ...base, opcode: OP_SET, value },
      );
      if (REFUSALS.includes(status)) continue;
      const expected: readonly number[] = remove ? [STATUS.OK, STATUS.NOT_FOUND] : [STATUS.OK];
      if (!expected.includes(status)) throw new Error(`${key.key} was answered ${status}`);
      sent.confirm();
      tally.acked++;
    }
    return { ended: false };
  } catch (error) {
    if (!/^closed after/.test(messageOf(error))) throw error;
    return { ended: true };
  } finally {
    socket.socket.terminate();
  }
}
