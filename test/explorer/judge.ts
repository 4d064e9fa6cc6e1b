/** What must hold when a run is over: its history can be put in order, and the accounts agree. */
import { bytesOf, OP, textOf } from '../model/support/wire.js';
import { auditArena } from './audit.js';
import type { Operation, ScanOperation } from './history.js';
import { ABSENT, type Circumstances, type KeyState, stateId, statesAfter } from './keyModel.js';
import { isLinearizable, type Step } from './linearizable.js';
import type { Run } from './machine.js';
import type { Scenario } from './scenario.js';
import type { Stage } from './stage.js';

/** What is wrong with a run that came to its end. */
export class Verdict extends Error {
  override readonly name = 'Verdict';
}

const keyOf = ({ request }: Operation): string => textOf(bytesOf(request.key)) ?? '';

/** What a whole scan says of one key: an operation that only looks whether it is there. */
function scanStep(scan: ScanOperation, key: string, circumstances: Circumstances): Step<KeyState> {
  const seen = scan.keys.includes(key);
  return {
    first: scan.span.first,
    last: scan.span.last,
    after: -1,
    apply: (state) => {
      const { item } = state;
      const expired = item !== undefined && item.expiryMs !== 0 && item.expiryMs <= scan.nowMs;
      const there = item !== undefined && !item.tombstone && !expired;
      const maybe = there && circumstances.evicts && !seen;
      return there === seen ? [state] : maybe ? [{ ...state, item: undefined }] : [];
    },
  };
}

/** A clear that takes effect once more, or does not. */
function clearedAgain({ span }: Operation): Step<KeyState> {
  const apply = (state: KeyState): KeyState[] => [state, { ...state, item: undefined }];
  return { first: span.first, last: span.last, after: -1, apply };
}

/** The operations of one key as steps of a search for their order. */
function stepsOf(operations: readonly Operation[], circumstances: Circumstances): Step<KeyState>[] {
  const lastOfLane = new Map<number, number>();
  return operations.map((operation, index) => {
    const { lane, span } = operation;
    const after = lastOfLane.get(lane) ?? -1;
    lastOfLane.set(lane, index);
    return {
      first: span.first,
      last: span.done ? span.last : Number.POSITIVE_INFINITY,
      after,
      apply: (state) => statesAfter(operation, state, circumstances),
    };
  });
}

function describe(operation: Operation): string {
  const { lane, request, answer, span } = operation;
  const op = Object.entries(OP).find(([, code]) => code === request.op)?.[0] ?? request.op;
  const value = textOf(bytesOf(request.value)) ?? '';
  const got =
    answer === undefined
      ? 'nothing'
      : `status ${answer.status} version ${answer.version} ttl ${answer.ttlMs}` +
        ` value ${(textOf(answer.value) ?? 'none').slice(0, 24)}`;
  return `lane ${lane} [${span.first}, ${span.last}] ${op} ${value.slice(0, 24)} -> ${got}`;
}

/** Throws when no order of a key's operations explains their answers. */
function checkKey(
  key: string,
  operations: readonly Operation[],
  scans: readonly ScanOperation[],
  circumstances: Circumstances,
  again: number,
): void {
  const mine = operations.filter(
    (operation) => operation.request.op === OP.CLEAR || keyOf(operation) === key,
  );
  const clears = mine.filter(({ request }) => request.op === OP.CLEAR);
  const steps = [
    ...stepsOf(mine, circumstances),
    ...Array.from({ length: again }, () => clears.map(clearedAgain)).flat(),
    ...scans.map((scan) => scanStep(scan, key, circumstances)),
  ];
  if (isLinearizable(steps, ABSENT, stateId)) return;
  throw new Verdict(
    `no order of these explains the answers of "${key}":\n  ${mine.map(describe).join('\n  ')}`,
  );
}

/** The operations of the prelude and of the last look, around those of the run. */
function wholeHistory(stage: Stage, run: Run, finals: readonly Operation[]): Operation[] {
  const at = (operations: readonly Operation[], from: number): Operation[] =>
    operations.map((operation, index) => {
      const time = from + index;
      return { ...operation, span: { lane: operation.lane, first: time, last: time, done: true } };
    });
  const before = -stage.prelude.length - 1;
  return [...at(stage.prelude, before), ...run.history.operations, ...at(finals, 1e9)];
}

/** Throws what is wrong with a run that came to its end. */
export function judgeRun(stage: Stage, run: Run, scenario: Scenario): void {
  const { operations, scans } = run.history;
  const all = [...stage.prelude, ...operations];
  const keys = [...new Set(all.map(keyOf).filter((key) => key !== ''))];
  const latestMs = Math.max(...all.map(({ nowMs }) => nowMs), 0);
  const reader = stage.world.fibers.findIndex((_, lane) => !run.deaths.includes(lane));
  const problems = auditArena(stage.world, run.deaths);
  const evicts = scenario.evicts === true || stage.evictionsSince() > 0;
  const again = scenario.clearsAgain ?? 0;
  const clearVersion = again > 0 ? undefined : stage.long('H_CLEAR_VERSION');
  const finals = stage.read(reader, latestMs, keys);
  const whole = wholeHistory(stage, run, finals);
  for (const key of keys) {
    const mayGo = evicts && !(scenario.keeps ?? []).includes(key);
    checkKey(key, whole, scans, { evicts: mayGo, latestMs, clearVersion }, again);
  }
  if (problems.length > 0) throw new Verdict(problems.join('\n'));
  scenario.check?.(stage, run);
}
