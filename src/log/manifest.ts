/**
 * The manifest says which files are the log. It is one line of JSON, broken here, and one with
 * the checksum of the first, so that a person can read it and nobody changes it by accident:
 *
 *   {"format":1,"node":"5f0c…","next":8,"floor":"7340032000000000000",
 *    "files":[{"number":6,"end":4096,"summary":"…"},{"number":7}]}
 *   crc32c 1a2b3c4d
 *
 * Files stand in the order of their ages: of one key, no file holds a version that is older than
 * one in a file before it. The last one is being written. No version of a file that has left the
 * log was above the floor, which is left out while it is 0.
 *
 * A file with an `end` was not ended by its writer: recovery found what was whole of it, and noted
 * the summary that it lacks, in base64. Files that are not in the manifest do not belong to the
 * log.
 */
import { checksum } from './checksum.js';
import { FORMAT, NODE_BYTES } from './fileHeader.js';
import { Summary } from './summary.js';

/** One file of the log. */
export interface ManifestFile {
  readonly number: number;
  /** Where the file ends, in bytes, when that was decided by recovery. */
  readonly end?: number;
  /** What is in a file with an `end`. */
  readonly summary?: Summary;
}

/** Which files are the log. */
export interface Manifest {
  /** Whose log it is: 16 random bytes, drawn when the folder was first used. */
  readonly node: Uint8Array;
  /** The number of the next file; none has it or a higher one. */
  readonly next: number;
  /** No version of a file that has left the log was higher. */
  readonly floor: bigint;
  /** In the order of their ages. */
  readonly files: readonly ManifestFile[];
}

const SHAPE = /^(\{.*\})\ncrc32c ([0-9a-f]{8})\n$/;
const NODE = new RegExp(`^[0-9a-f]{${NODE_BYTES * 2}}$`);

/** The text of a manifest. */
export function encodeManifest({ node, next, floor, files }: Manifest): string {
  const nodeText = Buffer.from(node).toString('hex');
  const listed = files.map(({ number, end, summary }) => ({
    number,
    end,
    summary: summary && Buffer.from(summary.encode()).toString('base64'),
  }));
  const floorText = floor === 0n ? undefined : String(floor);
  const line = JSON.stringify({
    format: FORMAT,
    node: nodeText,
    next,
    floor: floorText,
    files: listed,
  });
  return `${line}\ncrc32c ${sumOf(line)}\n`;
}

function sumOf(line: string): string {
  return checksum(Buffer.from(line)).toString(16).padStart(8, '0');
}

/** What a manifest says, or in a few words why it is none. */
export function decodeManifest(text: string): Manifest | string {
  const [, line, sum] = SHAPE.exec(text) ?? [];
  if (line === undefined) return 'the manifest is not whole';
  if (sumOf(line) !== sum) return 'the checksum of the manifest is wrong';
  const { format, node, next, floor = '0', files } = JSON.parse(line) as Record<string, unknown>;
  if (format !== FORMAT) return `the log has format ${format}; this version reads ${FORMAT}`;
  if (typeof node !== 'string' || !NODE.test(node)) return 'the manifest names no node';
  if (!/^\d{1,20}$/.test(String(floor))) return 'the manifest has no floor';
  if (!isNumber(next) || !Array.isArray(files)) return 'the manifest lists no files';
  const listed = files.map((file) => fileOf(file, next));
  if (!listed.every((file) => file !== undefined)) return 'the manifest lists an impossible file';
  const bytes = Uint8Array.from(Buffer.from(node, 'hex'));
  return { node: bytes, next, floor: BigInt(String(floor)), files: listed };
}

const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value > 0;

function fileOf(value: unknown, next: number): ManifestFile | undefined {
  const { number, end, summary } = (value ?? {}) as Record<string, unknown>;
  if (!isNumber(number) || number >= next) return undefined;
  if (end === undefined && summary === undefined) return { number };
  const decoded = Summary.decode(Buffer.from(String(summary), 'base64'));
  return isNumber(end) && decoded !== undefined ? { number, end, summary: decoded } : undefined;
}
