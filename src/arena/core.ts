import { instantiate, type WasmMemory, type WasmModule } from './wasm.js';

/**
 * The functions of one instance of the core. Offsets are unsigned but arrive signed above 2 GiB,
 * hence the `>>> 0` wherever one is read.
 */
export interface CoreFunctions {
  /** Lays out a zeroed memory; 0, or the least `storeBytes` that would do. */
  format(
    storeBytes: number,
    lanes: number,
    inboxBytes: number,
    outboxBytes: number,
    feedBytes: number,
    segmentBytes: number,
    maxValueBytes: number,
    policy: number,
    promotion: number,
    itemsMax: number,
    tierLeast: number,
    tierMib: number,
    stubs: number,
    key0: number,
    key1: number,
    key2: number,
    key3: number,
  ): number;
  /** Makes the instance a lane: it may execute. */
  attach(lane: number): void;
  /** Lets the instance read what the arena is and counts, without a lane. */
  observe(): void;
  inboxAt(): number;
  inboxBytes(): number;
  outboxAt(): number;
  outboxBytes(): number;
  execute(inboxEnd: number, nowMs: number): number;
  outboxEnd(): number;
  /** Where what the last `execute` wants from the disk is listed. */
  wantsAt(): number;
  pendingConnection(): number;
  pendingAt(): number;
  pendingEnd(): number;
  skipPending(): void;
  sweep(nowMs: number, lines: number): number;
  sweepLines(): number;
  takeOver(lane: number, nowMs: number): void;
  census(): number;
  countersAt(lane: number): number;
  /** The version that a clear would take now, as 64 bits with a sign. */
  versionOfClear(): bigint;
  splitFormat(frameBytes: number): number;
  splitPrepare(): void;
  split(length: number, arenas: number): number;
  splitStop(): number;
  splitPartsAt(): number;
  /** The slot of a key that lies in the memory of a splitter. */
  slotOf(at: number, length: number): number;
  feedOn(on: number): void;
  refuseChanges(status: number): void;
  feedHeadAt(lane: number): number;
  feedTailAt(lane: number): number;
  feedPeersTailAt(lane: number): number;
  feedAt(lane: number): number;
  feedBytes(): number;
}

/** One instance of the core: its functions and the constants it exports. */
export interface Core {
  readonly functions: CoreFunctions;
  /** The value of an exported constant (`OP_GET`); throws when the core has none of that name. */
  constant(name: string): number;
  /** Names of all exported constants. */
  constantNames(): string[];
}

function hasValue(global: unknown): global is { readonly value: number } {
  return typeof global === 'object' && global !== null && 'value' in global;
}

/** A new instance of the core over `memory`; a thread needs one for each lane it holds. */
export function instantiateCore(module: WasmModule, memory: WasmMemory): Core {
  const exported = instantiate(module, memory);
  return {
    functions: exported as unknown as CoreFunctions,
    constant(name) {
      const global = exported[name];
      if (!hasValue(global)) throw new Error(`the core exports no constant ${name}; rebuild it`);
      return Number(global.value);
    },
    constantNames: () => Object.keys(exported).filter((name) => hasValue(exported[name])),
  };
}
