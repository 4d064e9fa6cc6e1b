/** What a key may answer: the store as one key, one operation at a time. */
import { bytesOf, FLAG, OP, type Request, STATUS, textOf } from '../model/support/wire.js';
import type { Operation } from './history.js';

const VERSION_COUNTER_BITS = 22n;

interface Item {
  readonly value: Uint8Array;
  /** Undefined when the lane that wrote it died before it could tell. */
  readonly version: bigint | undefined;
  /** Unix milliseconds, 0 for never. */
  readonly expiryMs: number;
  readonly tombstone: boolean;
}

/** What a key holds, and the highest version it has shown. */
export interface KeyState {
  readonly item: Item | undefined;
  readonly last: bigint;
  /** Merged records up to this version are refused. */
  readonly cleared: bigint;
}

export const ABSENT: KeyState = { item: undefined, last: 0n, cleared: 0n };

/** What the run says about items that may go without being asked to. */
export interface Circumstances {
  /** Whether anything was evicted. */
  readonly evicts: boolean;
  /** The latest clock of any lane: what has expired by then may be gone. */
  readonly latestMs: number;
  /** The version of the clear there was, 0 for none; undefined when there may have been two. */
  readonly clearVersion: bigint | undefined;
}

export function stateId({ item, last, cleared }: KeyState): string {
  if (item === undefined) return `${last} ${cleared}`;
  return `${item.version} ${item.expiryMs} ${item.value.length} ${last} ${cleared}`;
}

const same = (a: Uint8Array, b: Uint8Array | undefined): boolean =>
  b !== undefined && a.length === b.length && Buffer.compare(a, b) === 0;

const has = (request: Request, flag: number): boolean => ((request.flags ?? 0) & flag) !== 0;

const maxOf = (a: bigint, b: bigint | undefined): bigint => (b !== undefined && b > a ? b : a);

/** One operation against one state. */
class Judge {
  readonly #request: Request;
  readonly #answer: Operation['answer'];
  readonly #nowMs: number;
  readonly #state: KeyState;
  readonly #circumstances: Circumstances;

  constructor(operation: Operation, state: KeyState, circumstances: Circumstances) {
    this.#request = operation.request;
    this.#answer = operation.answer;
    this.#nowMs = operation.nowMs;
    this.#state = state;
    this.#circumstances = circumstances;
  }

  /** The item as this operation's clock sees it. */
  get #alive(): Item | undefined {
    const { item } = this.#state;
    if (item === undefined || item.tombstone) return undefined;
    return item.expiryMs !== 0 && item.expiryMs <= this.#nowMs ? undefined : item;
  }

  #answered(status: number): boolean {
    return this.#answer === undefined || this.#answer.status === status;
  }

  /** The state as it was, if `right`. */
  #unchanged(right: boolean): KeyState[] {
    return right ? [this.#state] : [];
  }

  /** Whether the answer shows the version and the time that are left. */
  #meta(item: Item): boolean {
    const answer = this.#answer;
    if (answer === undefined || !has(this.#request, FLAG.WITH_META)) return true;
    if (item.version !== undefined && answer.version !== item.version) return false;
    return answer.ttlMs === (item.expiryMs === 0 ? undefined : item.expiryMs - this.#nowMs);
  }

  #expiry(): number {
    const { ttlMs, expiryMs } = this.#request;
    if (ttlMs !== undefined) return this.#nowMs + Number(ttlMs);
    return Number(expiryMs ?? 0);
  }

  /** The key with a new item, whose version must be above all it has shown. */
  #written(value: Uint8Array, expiryMs: number): KeyState[] {
    const version = this.#answer?.version;
    const item: Item = { value, version, expiryMs, tombstone: false };
    if (!this.#answered(STATUS.OK) || !this.#meta(item)) return [];
    if (this.#answer !== undefined) {
      if (version === undefined || version <= this.#state.last) return [];
      if (version <= this.#state.cleared) return [];
      if (version < BigInt(this.#nowMs) << VERSION_COUNTER_BITS) return [];
    }
    return [{ ...this.#state, item, last: maxOf(this.#state.last, version) }];
  }

  get(): KeyState[] {
    const item = this.#alive;
    if (item === undefined) return this.#unchanged(this.#answered(STATUS.NOT_FOUND));
    const shown = this.#answer === undefined || same(item.value, this.#answer.value);
    return this.#unchanged(this.#answered(STATUS.OK) && shown && this.#meta(item));
  }

  /** What refuses a write that has conditions, or undefined. */
  #refusal(): number | undefined {
    const item = this.#alive;
    const { version } = this.#request;
    const wanted = version !== undefined || has(this.#request, FLAG.IF_PRESENT);
    if (item === undefined) return wanted ? STATUS.NOT_FOUND : undefined;
    if (has(this.#request, FLAG.IF_ABSENT)) return STATUS.EXISTS;
    const other = version !== undefined && item.version !== undefined && item.version !== version;
    return other ? STATUS.VERSION_MISMATCH : undefined;
  }

  set(): KeyState[] {
    const refusal = this.#refusal();
    if (refusal !== undefined) return this.#unchanged(this.#answered(refusal));
    const old = this.#alive;
    if (this.#answer !== undefined && has(this.#request, FLAG.RETURN_OLD)) {
      const shown = this.#answer.value;
      if (old === undefined ? shown !== undefined : !same(old.value, shown)) return [];
    }
    return this.#written(bytesOf(this.#request.value), this.#expiry());
  }

  delete(): KeyState[] {
    const item = this.#alive;
    if (item === undefined) return this.#unchanged(this.#answered(STATUS.NOT_FOUND));
    const refusal = this.#refusal();
    if (refusal !== undefined) return this.#unchanged(this.#answered(refusal));
    if (!this.#answered(STATUS.OK)) return [];
    return [{ ...this.#state, item: undefined, last: maxOf(this.#state.last, item.version) }];
  }

  touch(): KeyState[] {
    const item = this.#alive;
    if (item === undefined) return this.#unchanged(this.#answered(STATUS.NOT_FOUND));
    const refusal = this.#refusal();
    if (refusal !== undefined) return this.#unchanged(this.#answered(refusal));
    return this.#written(item.value, this.#expiry());
  }

  incr(): KeyState[] {
    const item = this.#alive;
    const start =
      item === undefined ? (this.#request.initial ?? 0n) : BigInt(textOf(item.value) ?? '');
    const value = bytesOf(String(start + (this.#request.delta ?? 1n)));
    if (this.#answer !== undefined && !same(value, this.#answer.value)) return [];
    return this.#written(value, item === undefined ? this.#expiry() : item.expiryMs);
  }

  merge(): KeyState[] {
    const { item, last, cleared } = this.#state;
    const version = this.#request.version ?? 0n;
    const older = item?.version !== undefined && version <= item.version;
    if (older || version <= cleared) return this.#unchanged(this.#answered(STATUS.EXISTS));
    if (!this.#answered(STATUS.OK)) return [];
    const merged: Item = {
      value: bytesOf(this.#request.value),
      version,
      expiryMs: this.#expiry(),
      tombstone: has(this.#request, FLAG.TOMBSTONE),
    };
    return [{ item: merged, last: maxOf(last, version), cleared }];
  }

  clear(): KeyState[] {
    const { last } = this.#state;
    const cleared = this.#circumstances.clearVersion ?? 0n;
    return [{ item: undefined, last, cleared }];
  }
}

function judge(judge: Judge, op: number): KeyState[] {
  switch (op) {
    case OP.GET:
      return judge.get();
    case OP.SET:
      return judge.set();
    case OP.DELETE:
      return judge.delete();
    case OP.TOUCH:
      return judge.touch();
    case OP.INCR:
      return judge.incr();
    case OP.MERGE:
      return judge.merge();
    case OP.CLEAR:
      return judge.clear();
    default:
      throw new Error(`the model of a key does not know opcode ${op}`);
  }
}

/** Whether the item may have left by itself: evicted, or swept by a lane whose clock is ahead. */
function mayLeave({ item }: KeyState, { evicts, latestMs }: Circumstances): boolean {
  if (item === undefined) return false;
  return evicts || (item.expiryMs !== 0 && item.expiryMs <= latestMs);
}

/** The states a key may be in after an operation that was answered as it was. */
export function statesAfter(
  operation: Operation,
  state: KeyState,
  circumstances: Circumstances,
): KeyState[] {
  const { status } = operation.answer ?? {};
  if (status === STATUS.BUSY || status === STATUS.NO_SPACE) return [state];
  const before = mayLeave(state, circumstances) ? [state, { ...state, item: undefined }] : [state];
  return before.flatMap((each) =>
    judge(new Judge(operation, each, circumstances), operation.request.op),
  );
}
