import { join } from 'node:path';
import { type Device, writeFully } from './device.js';

/** What a file that will replace `NAME` is called until it does. */
export const FRESH_SUFFIX = '.new';

/**
 * Puts a file in the place of the one of that name: whatever happens, afterwards there is the one
 * or the other. When it returns, the new one survives a loss of power.
 */
export function replaceFile(device: Device, folder: string, name: string, bytes: Uint8Array): void {
  const fresh = join(folder, `${name}${FRESH_SUFFIX}`);
  const file = device.create(fresh);
  try {
    writeFully(file, bytes, 0);
    file.sync();
  } finally {
    file.close();
  }
  device.rename(fresh, join(folder, name));
  device.syncFolder(folder);
}
