/** Stores of the scenario `moving`: the version that there is of each key. */
import type { MemoryStore } from '../../src/ring/council.js';
import type { Host } from './host.js';

/** Versions by keys. */
export type Versions = Map<string, number>;

const FILE = 'cluster.memory';

/** A value as bytes. */
export function bytesOf(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** The value in bytes. */
export function jsonOf<T>(bytes: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(bytes)) as T;
}

/** A key as bytes. */
export function keyBytes(key: string): Uint8Array {
  return new TextEncoder().encode(key);
}

/** Where a council keeps what it remembers. */
export function storeOf({ disk }: Host): MemoryStore {
  return {
    load: () => disk.read(FILE),
    save: (bytes, done) => disk.write(FILE, bytes, () => done()),
  };
}

/** Takes a version if it is newer; whether it is. */
export function merge(data: Versions, key: string, version: number): boolean {
  if ((data.get(key) ?? 0) >= version) return false;
  data.set(key, version);
  return true;
}

/** The versions of one cluster. */
export function versionsIn(clusters: Map<string, Versions>, cluster: string): Versions {
  const versions = clusters.get(cluster) ?? new Map<string, number>();
  clusters.set(cluster, versions);
  return versions;
}
