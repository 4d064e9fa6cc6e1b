import type { Manifest } from './manifest.js';

/** Old files that leave the log, and the new one that has what counts of them. */
export interface Replacement {
  readonly dropped: readonly number[];
  /** Nothing when nothing counted. */
  readonly added: number | undefined;
  /** The new file stands before this one. */
  readonly before: number;
  /** The highest version in the old files. */
  readonly floor: bigint;
  readonly bytesDropped: number;
  readonly bytesAdded: number;
}

/** The manifest after a replacement. */
export function replaceFiles(manifest: Manifest, change: Replacement): Manifest {
  const { dropped, added, before } = change;
  const files = manifest.files.flatMap((file) => {
    if (dropped.includes(file.number)) return [];
    return file.number === before && added !== undefined ? [{ number: added }, file] : [file];
  });
  const floor = change.floor > manifest.floor ? change.floor : manifest.floor;
  return { ...manifest, floor, files };
}
