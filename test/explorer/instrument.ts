/**
 * Turns the compiled core into one whose every access to memory is a scheduling point.
 *
 * Wasm cannot be stopped in the middle, so the text of the compiled module is rewritten: each load,
 * store, atomic operation, copy and fill becomes a call of a helper that first calls the imported
 * `point(address, bytes, kind)` and then does the access. Binaryen's Asyncify pass then lets that
 * import unwind the stack, so that one JavaScript thread can run several instances over one memory
 * and change between them at any access. The core itself is what `asc` has built; nothing in it is
 * replaced but the instructions that touch memory.
 *
 * Copies go in pieces, as a processor may do them: eight bytes at a time up to COPY_WORDS_BYTES,
 * else in pieces of COPY_PIECE_BYTES.
 *
 * All mutable globals are exported, so that an instance can be put back to where it was.
 */
import binaryen from 'assemblyscript/binaryen';

/** Whether an access reads, writes, or does both in one step. */
export const READS = 1;
export const WRITES = 2;

const COPY_WORDS_BYTES = 128;
const COPY_PIECE_BYTES = 64;

/** What `asconfig.json` enables, and what every engine has. */
const FEATURES =
  binaryen.Features.Atomics |
  binaryen.Features.BulkMemory |
  binaryen.Features.BulkMemoryOpt |
  binaryen.Features.MutableGlobals |
  binaryen.Features.NontrappingFPToInt |
  binaryen.Features.SignExt |
  binaryen.Features.SIMD128;

const TYPE_BYTES: Readonly<Record<string, number>> = { i32: 4, i64: 8, f32: 4, f64: 8, v128: 16 };

/** An instruction as the text of the module has it: ` i64.atomic.store offset=8`. */
const ACCESS = /^\s*((i32|i64|f32|f64|v128)\.((?:atomic\.)?(load|store|rmw)\S*))((?: \w+=\d+)*)$/;
const COPY = /^\s*memory\.(copy|fill)$/;
/** Anything that looks like an access and is not understood must not slip through. */
const UNKNOWN = /^\s*(memory\.|data\.|\w+\.(\w+\.)*(load|store|rmw|wait|notify))/;
const GLOBAL = /^\s*\(global \$(\S+) \(mut /;
const MEMORY = /^\s*\(import "env" "memory"/;

/** Bytes that an instruction touches: the number in its name, or its type's. */
function accessBytes(type: string, operation: string): number {
  const narrow = /(?:load|store|rmw)(\d+)/.exec(operation)?.[1];
  return narrow === undefined ? (TYPE_BYTES[type] ?? 0) : Number(narrow) / 8;
}

/** The helper that does one kind of access behind a scheduling point. */
function helperFor(name: string, type: string, operation: string, verb: string): string {
  const swaps = operation.includes('cmpxchg');
  const values = verb === 'load' ? 0 : swaps ? 2 : 1;
  const params = ['$a', '$b'].slice(0, values).map((value) => `(param ${value} ${type})`);
  const kind = { load: READS, store: WRITES, rmw: READS | WRITES }[verb] ?? 0;
  const result = verb === 'store' ? '' : `(result ${type})`;
  const operands = ['(local.get $a)', '(local.get $b)'].slice(0, values).join(' ');
  return `(func $explorer.${name} (param $p i32) ${params.join(' ')} (param $o i32) ${result}
    (local.set $p (i32.add (local.get $p) (local.get $o)))
    (call $explorer.point (local.get $p)
      (i32.const ${accessBytes(type, operation)}) (i32.const ${kind}))
    (${name} (local.get $p) ${operands}))`;
}

/** Copies as `memory.copy` does; a copy onto itself that would have to go backwards is one step. */
const COPY_HELPER = `(func $explorer.copy (param $to i32) (param $from i32) (param $n i32)
  (local $piece i32) (local $word i64)
  (if (i32.lt_u (i32.sub (local.get $to) (local.get $from)) (local.get $n)) (then
    (call $explorer.point (local.get $from) (local.get $n) (i32.const ${READS}))
    (call $explorer.point (local.get $to) (local.get $n) (i32.const ${WRITES}))
    (memory.copy (local.get $to) (local.get $from) (local.get $n))
    (return)))
  (local.set $piece (select (i32.const 8) (i32.const ${COPY_PIECE_BYTES})
    (i32.le_u (local.get $n) (i32.const ${COPY_WORDS_BYTES}))))
  (loop $next
    (if (i32.eqz (local.get $n)) (then (return)))
    (if (i32.lt_u (local.get $n) (local.get $piece)) (then
      (local.set $piece (local.get $n))))
    (call $explorer.point (local.get $from) (local.get $piece) (i32.const ${READS}))
    (if (i32.eq (local.get $piece) (i32.const 8))
      (then
        (local.set $word (i64.load align=1 (local.get $from)))
        (call $explorer.point (local.get $to) (local.get $piece) (i32.const ${WRITES}))
        (i64.store align=1 (local.get $to) (local.get $word)))
      (else
        (call $explorer.point (local.get $to) (local.get $piece) (i32.const ${WRITES}))
        (memory.copy (local.get $to) (local.get $from) (local.get $piece))))
    (local.set $to (i32.add (local.get $to) (local.get $piece)))
    (local.set $from (i32.add (local.get $from) (local.get $piece)))
    (local.set $n (i32.sub (local.get $n) (local.get $piece)))
    (br $next)))`;

const FILL_HELPER = `(func $explorer.fill (param $to i32) (param $byte i32) (param $n i32)
  (call $explorer.point (local.get $to) (local.get $n) (i32.const ${WRITES}))
  (memory.fill (local.get $to) (local.get $byte) (local.get $n)))`;

const IMPORT = '(import "env" "point" (func $explorer.point (param i32 i32 i32)))';

/** Rewrites the accesses of the module's text; collects the helpers they need. */
function rewriteLine(line: string, helpers: Map<string, string>): string[] {
  const access = ACCESS.exec(line);
  if (access !== null) {
    const [, name = '', type = '', operation = '', verb = '', rest = ''] = access;
    helpers.set(name, helperFor(name, type, operation, verb));
    return [`i32.const ${/offset=(\d+)/.exec(rest)?.[1] ?? 0}`, `call $explorer.${name}`];
  }
  const block = COPY.exec(line)?.[1];
  if (block !== undefined) {
    helpers.set(block, block === 'copy' ? COPY_HELPER : FILL_HELPER);
    return [`call $explorer.${block}`];
  }
  if (UNKNOWN.test(line)) {
    throw new Error(`the explorer does not know the instruction "${line.trim()}"`);
  }
  return [line];
}

/** The module's text with scheduling points. */
function rewrite(text: string): string {
  const helpers = new Map<string, string>();
  const lines = text.trimEnd().split('\n');
  if (lines.at(-1) !== ')') throw new Error('the text of the core does not end as a module');
  const body = lines.slice(0, -1).flatMap((line) => rewriteLine(line, helpers));
  const globals = body.flatMap((line) => GLOBAL.exec(line)?.[1] ?? []);
  const exported = globals.map((name) => `(export "${name}" (global $${name}))`);
  const memory = body.findIndex((line) => MEMORY.test(line));
  body.splice(memory + 1, 0, IMPORT);
  return [...body, ...exported, ...helpers.values(), ')'].join('\n');
}

/** The instrumented module, from the text that `asc` writes beside the core. */
export function instrument(text: string): Uint8Array<ArrayBuffer> {
  const module = binaryen.parseText(rewrite(text));
  try {
    module.setFeatures(FEATURES);
    binaryen.setPassArgument('asyncify-imports', 'env.point');
    binaryen.setOptimizeLevel(1);
    module.runPasses(['asyncify']);
    module.optimize();
    if (module.validate() !== 1) throw new Error('the instrumented core is not a valid module');
    return Uint8Array.from(module.emitBinary());
  } finally {
    module.dispose();
  }
}
