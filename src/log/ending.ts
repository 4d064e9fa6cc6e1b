import { BLOCK_HEADER_BYTES, FLAG_LAST } from './block.js';
import type { Device } from './device.js';
import { FILE_HEADER_BYTES } from './fileHeader.js';
import { FileScan } from './fileScan.js';
import type { ManifestFile } from './manifest.js';
import { logPath } from './names.js';
import { RecordWalk, recordBytes } from './record.js';
import { SUMMARY_BYTES, Summary } from './summary.js';

const ENDING_BYTES = BLOCK_HEADER_BYTES + recordBytes(0, SUMMARY_BYTES);

/** The summary at the end of a file, or nothing when the file was not ended in order. */
export function readEnding(
  device: Device,
  folder: string,
  file: ManifestFile,
): Summary | undefined {
  const scan = new FileScan(device, logPath(folder, file.number), file.end);
  try {
    const offset = scan.fileBytes - ENDING_BYTES - scan.tagBytes;
    if (scan.header === undefined || offset < FILE_HEADER_BYTES || offset % 8 !== 0) {
      return undefined;
    }
    const block = scan.blockAt(offset);
    if (typeof block === 'string' || (block.flags & FLAG_LAST) === 0) return undefined;
    const walk = new RecordWalk();
    walk.reset(scan.bytes, scan.recordsAt, scan.recordsEnd);
    return walk.next() && walk.kind === 'summary' ? Summary.decode(walk.value()) : undefined;
  } finally {
    scan.close();
  }
}
