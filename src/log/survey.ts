/** Reads a whole log file and says what is in it and whether it is as it should be. */

import type { Device } from './device.js';
import type { Purpose } from './fileHeader.js';
import { FileScan } from './fileScan.js';
import type { ManifestFile } from './manifest.js';
import { logName, logPath } from './names.js';
import { RecordWalk } from './record.js';
import { Summary } from './summary.js';
import { type Beyond, bytesBehind, type Condition, findBeyond, judge } from './tail.js';

/** What a survey found. */
export interface Survey {
  readonly name: string;
  readonly number: number;
  /** Nothing when the file's header is damaged. */
  readonly purpose: Purpose | undefined;
  readonly node: Uint8Array | undefined;
  readonly condition: Condition;
  readonly fileBytes: number;
  /** Where the whole part ends, and why there, in a few words; '' if nothing is behind it. */
  readonly end: number;
  readonly problem: string;
  readonly blocks: number;
  /** Up to here the file was on disk once, as its whole blocks say. */
  readonly synced: number;
  readonly summary: Summary;
  /** Bytes behind the end, but for zeros at the end of the file. */
  readonly rest: number;
  /** Whole blocks behind the end. */
  readonly beyond: Beyond;
}

/** Steps through a file; `onBlock` sees each block whose records make sense. */
export function scanBlocks(scan: FileScan, onBlock: (walk: RecordWalk) => void): void {
  const walk = new RecordWalk();
  while (scan.step()) {
    walk.reset(scan.bytes, scan.recordsAt, scan.recordsEnd);
    onBlock(walk);
    if (walk.problem !== undefined) scan.refuse(walk.problem);
  }
}

/** Surveys one file of a manifest; `active` is the one that was written last. */
export function surveyFile(
  device: Device,
  folder: string,
  { number, end }: ManifestFile,
  active: boolean,
): Survey {
  const scan = new FileScan(device, logPath(folder, number), end);
  try {
    const summary = new Summary();
    let blocks = 0;
    let synced = 0;
    scanBlocks(scan, (walk) => {
      blocks++;
      synced = Math.max(synced, scan.block.synced);
      while (walk.next()) summary.note(walk);
    });
    const condition = judge(scan, active, end !== undefined);
    const rest = bytesBehind(scan, scan.next);
    return {
      name: logName(number),
      number,
      purpose: scan.header?.purpose,
      node: scan.header?.node,
      condition,
      fileBytes: scan.fileBytes,
      end: scan.next,
      problem: condition === 'torn' && rest === 0 ? '' : scan.problem,
      blocks,
      synced,
      summary,
      rest,
      beyond: findBeyond(scan, scan.next),
    };
  } finally {
    scan.close();
  }
}
