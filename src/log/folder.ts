/** The folder of a log: its manifest, and the replacing of it. */
import { join } from 'node:path';
import { codeOf } from '../base/errors.js';
import { LogDamage } from './damage.js';
import { type Device, readWhole } from './device.js';
import { decodeManifest, encodeManifest, type Manifest } from './manifest.js';
import { MANIFEST, numberIn } from './names.js';
import { replaceFile } from './replacedFile.js';

/**
 * What the manifest of a folder says; nothing when the folder never held a log. Throws `LogDamage`.
 */
export function readManifest(device: Device, folder: string): Manifest | undefined {
  const text = readManifestText(device, folder);
  const decoded = text === undefined ? undefined : decodeManifest(text);
  if (typeof decoded === 'object') return decoded;
  const isEmpty = device.list(folder).every((name) => numberIn(name) === undefined);
  if (decoded === undefined && isEmpty) return undefined;
  const reason = decoded ?? 'there are log files, but the manifest is missing';
  throw new LogDamage({ folder, file: MANIFEST, offset: 0, reason });
}

function readManifestText(device: Device, folder: string): string | undefined {
  try {
    return Buffer.from(readWhole(device, join(folder, MANIFEST))).toString('utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Puts a manifest in the place of the old one, as `replaceFile` does. */
export function replaceManifest(device: Device, folder: string, manifest: Manifest): void {
  replaceFile(device, folder, MANIFEST, Buffer.from(encodeManifest(manifest)));
}

/** The numbers of log files in a folder that its manifest does not list. */
export function strangersIn(device: Device, folder: string, manifest: Manifest): number[] {
  const known = new Set(manifest.files.map(({ number }) => number));
  const numbers = device.list(folder).map(numberIn);
  return numbers.filter((number) => number !== undefined && !known.has(number)) as number[];
}
