/**
 * What the built core must not contain. Data segments are active in AssemblyScript: each instance
 * would write its static data over the shared memory again. A start function would run code at each
 * attach.
 */
import type { Finding } from '../support/sources.js';

const PREAMBLE_BYTES = 8;

/** Section ids of the binary format, and why they must not occur. */
const UNWANTED: Readonly<Record<number, string>> = {
  8: 'a start function: nothing may run when a thread attaches',
  11: 'data segments: no strings, no static data, no asserts with messages in assembly/',
  12: 'a data count: no strings, no static data, no asserts with messages in assembly/',
};

/** Reads an unsigned LEB128 number; yields it and the position behind it. */
function leb128(bytes: Uint8Array, start: number): { value: number; end: number } {
  let value = 0;
  let at = start;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at] ?? 0;
    at += 1;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, end: at };
  }
}

interface Section {
  readonly id: number;
  /** How many entries, where the section is a list. */
  readonly count: number;
}

/** The sections of a module in order. */
export function sectionsOf(bytes: Uint8Array): Section[] {
  const sections: Section[] = [];
  for (let at = PREAMBLE_BYTES; at < bytes.length; ) {
    const size = leb128(bytes, at + 1);
    sections.push({ id: bytes[at] ?? 0, count: leb128(bytes, size.end).value });
    at = size.end + size.value;
  }
  return sections;
}

/** What is wrong with a compiled core. */
export function wasmProblems(name: string, bytes: Uint8Array<ArrayBuffer>): Finding[] {
  const module = new WebAssembly.Module(bytes);
  const imports = WebAssembly.Module.imports(module)
    .map((entry) => `${entry.module}.${entry.name}`)
    .filter((entry) => entry !== 'env.memory')
    .map((entry) => `${name}: imports ${entry}: the core has no clock, no I/O, only env.memory`);
  const sections = sectionsOf(bytes).flatMap(({ id, count }) => {
    const why = UNWANTED[id];
    return why === undefined || (id !== 8 && count === 0) ? [] : [`${name}: contains ${why}`];
  });
  const exports = WebAssembly.Module.exports(module)
    .filter((entry) => /^__(new|alloc|pin|collect)/.test(entry.name))
    .map((entry) => `${name}: exports ${entry.name}: no heap in the core, only offsets`);
  return [...imports, ...sections, ...exports];
}
