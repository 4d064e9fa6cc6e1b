/** What a log's folder holds, for people who look into it. It changes nothing. */

import { InputError } from '../base/errors.js';
import type { Device } from './device.js';
import { readManifest, strangersIn } from './folder.js';
import { logName } from './names.js';
import { type Survey, surveyFile } from './survey.js';

/** The files of a log, read from the first byte to the last. */
export interface FolderReport {
  readonly folder: string;
  /** The identity of the node, in hexadecimal digits. */
  readonly node: string;
  readonly surveys: readonly Survey[];
  /** Files that are named like the log's, but left over. */
  readonly strangers: readonly string[];
}

/** Surveys every file of a log. Throws `InputError` when the folder holds none. */
export function reportOn(device: Device, folder: string): FolderReport {
  const manifest = readManifest(device, folder);
  if (manifest === undefined) throw new InputError(`there is no log in ${folder}`);
  const last = manifest.files.at(-1)?.number;
  const surveys = manifest.files.map((file) => {
    return surveyFile(device, folder, file, file.number === last);
  });
  const strangers = strangersIn(device, folder, manifest).map(logName);
  return { folder, node: Buffer.from(manifest.node).toString('hex'), surveys, strangers };
}

/** What there is to say about the state of one file. */
export function stateOf(survey: Survey): string {
  const { condition, end, rest, problem, beyond } = survey;
  if (condition === 'whole') return 'whole';
  if (condition === 'torn') {
    return rest === 0 ? 'whole, not ended' : `torn: the last ${rest} bytes do not count`;
  }
  const whole = beyond.blocks === 0 ? '' : `; ${beyond.blocks} whole blocks behind it`;
  return `damaged at ${end}: ${problem || 'its end is missing'}${whole}`;
}
