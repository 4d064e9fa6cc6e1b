/**
 * What sealed links cost two nodes: messages of several sizes sealed by one side and opened by the
 * other, and agreeing on keys. All of it is processor time of this thread, without sockets; each
 * message is checked to come out as it went in.
 */
import { seededRandom, systemRandom } from '../src/base/random.js';
import { LinkKeys } from '../src/net/peers/linkKeys.js';
import { ListenerSeal, OpenerSeal } from '../src/net/peers/linkSeal.js';
import type { Row } from './report.js';
import type { Settings } from './settings.js';

const SIZES = [64, 256, 1024, 4096, 16_384, 65_536];
/** A round of one size seals about so much, and at least so many messages. */
const ROUND_BYTES = 128 * 1024 * 1024;
const MESSAGES_MAX = 100_000;
const AGREEMENTS = 2_000;
const SEED = 11;

interface Pair {
  readonly opener: OpenerSeal;
  readonly listener: ListenerSeal;
}

/** Two sides that have agreed on keys. */
function agreed(keys: LinkKeys): Pair {
  let toOpener: Uint8Array | undefined;
  let toListener: Uint8Array | undefined;
  const random = systemRandom;
  const tell = (message: Uint8Array): void => {
    toListener = message;
  };
  const opener = new OpenerSeal({ keys, random, tell }, () => {});
  const reply = (message: Uint8Array): void => {
    toOpener = message;
  };
  const listener = new ListenerSeal({ keys, random, tell: reply });
  opener.open();
  if (toListener !== undefined) listener.take(toListener);
  if (toOpener === undefined || opener.take(toOpener) === undefined) throw new Error('no reply');
  return { opener, listener };
}

/** Microseconds of processor time for each of `count` things that are done. */
function costOf(count: number, work: () => void): number {
  const before = process.cpuUsage();
  for (let n = 0; n < count; n++) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

interface Costs {
  readonly sealUs: number;
  readonly bothUs: number;
}

/** What it costs to seal messages of a size, and to seal and open them. */
function costsOf({ opener, listener }: Pair, bytes: number): Costs {
  const frame = seededRandom(SEED).bytes(bytes);
  const count = Math.min(MESSAGES_MAX, Math.ceil(ROUND_BYTES / bytes));
  const bothUs = costOf(count, () => {
    const opened = listener.take(opener.seal(frame));
    const isSame = opened?.length === bytes && opened[bytes - 1] === frame[bytes - 1];
    if (!isSame) throw new Error('a message came out as another one');
  });
  return { sealUs: costOf(count, () => opener.seal(frame)), bothUs };
}

const byCost = (a: number, b: number): number => a - b;

function rowOf(scenario: string, cpuUsPerOp: number): Row {
  const times = { p50Us: null, p99Us: null, p999Us: null, driverCpu: null };
  const opsPerSecond = 1e6 / cpuUsPerOp;
  return { system: 'orlop', scenario: `seal ${scenario}`, ...times, opsPerSecond, cpuUsPerOp };
}

/** Measures all sizes, prints what they cost and returns the rows. */
export function benchSeal({ rounds, say }: Settings): Row[] {
  const keys = new LinkKeys([systemRandom.bytes(32)], 'bench');
  const rows: Row[] = [];
  const middle = (costs: number[]): number => costs.sort(byCost)[rounds >> 1] as number;
  costsOf(agreed(keys), SIZES[0] as number);
  for (const bytes of SIZES) {
    // Each round has keys of its own, because what is sealed and not opened goes out of step.
    const costs = Array.from({ length: rounds }, () => costsOf(agreed(keys), bytes));
    const sealUs = middle(costs.map((cost) => cost.sealUs));
    const openUs = middle(costs.map((cost) => cost.bothUs)) - sealUs;
    const shown = [sealUs, openUs].map((us) => us.toFixed(2));
    say(`${bytes} bytes: ${shown[0]} µs of CPU to seal, ${shown[1]} µs to open`);
    rows.push(rowOf(`${bytes} bytes`, sealUs), rowOf(`open ${bytes} bytes`, openUs));
  }
  const agreeUs = middle(
    Array.from({ length: rounds }, () => costOf(AGREEMENTS, () => agreed(keys))),
  );
  say(`agreeing on keys: ${agreeUs.toFixed(0)} µs of CPU for both sides`);
  return [...rows, rowOf('agreement', agreeUs)];
}
