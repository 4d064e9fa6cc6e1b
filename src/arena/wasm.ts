/**
 * The part of the WebAssembly API that the arena uses. It is typed here because the server compiles
 * without the browser's library, where TypeScript keeps these types.
 */
import { readFileSync } from 'node:fs';
import { packageFile } from '../base/packageRoot.js';

/** A memory that threads share; posting it to a worker shares it, it is never copied. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer;
}

/** Compiled code; posting it to a worker shares it, it is not compiled again. */
export interface WasmModule {
  readonly [Symbol.toStringTag]: string;
}

interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

interface WasmApi {
  readonly Memory: new (limits: { initial: number; maximum: number; shared: true }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports: { env: { memory: WasmMemory } },
  ) => WasmInstance;
}

const wasm = (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly;

/** Bytes of one page, the unit in which a memory is sized. */
export const PAGE_BYTES = 65_536;

/** The last page of the 4 GiB stays unused, so that pointer plus length never wraps. */
export const PAGES_MAX = 65_535;

/** `debug` checks bounds and invariants and traps on a broken one; both do the same otherwise. */
export type CoreBuild = 'release' | 'debug';

const modules = new Map<CoreBuild, WasmModule>();

/**
 * The compiled core; this thread reads and compiles each build once. Throws when it is not built.
 */
export function loadCore(build: CoreBuild): WasmModule {
  const known = modules.get(build);
  if (known !== undefined) return known;
  const module = loadModule(`core.${build}.wasm`);
  modules.set(build, module);
  return module;
}

/** Compiles a module that the build has made. Throws when it is not built. */
export function loadModule(name: string): WasmModule {
  return new wasm.Module(readFileSync(packageFile('build', name)));
}

/** A zeroed memory of exactly `pages` pages; the system hands them out when they are touched. */
export function createMemory(pages: number): WasmMemory {
  return new wasm.Memory({ initial: pages, maximum: pages, shared: true });
}

/** What a new instance of `module` over `memory` exports. */
export function instantiate(
  module: WasmModule,
  memory: WasmMemory,
): Readonly<Record<string, unknown>> {
  return new wasm.Instance(module, { env: { memory } }).exports;
}
