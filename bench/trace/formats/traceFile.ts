/** Traces in files: their formats, told by name or by the file's name. */
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { codeOf, InputError, messageOf } from '../../../src/base/errors.js';
import { type Stream, streamOf } from '../stream.js';
import { parseColumns, readCsv } from './csv.js';
import { readLines } from './lines.js';
import { readOracleGeneral } from './oracleGeneral.js';
import { readWords } from './words.js';

/** The formats, as `--trace-type` names them. */
export const TRACE_TYPES = ['u32', 'txt', 'csv', 'oracleGeneral'] as const;
/** The name of a format. */
export type TraceType = (typeof TRACE_TYPES)[number];

/** How a file is to be read. */
export interface TraceFileOptions {
  /** The format; told by the file's name when missing. */
  readonly type?: TraceType | undefined;
  /** libCacheSim's settings of a csv file. */
  readonly columns?: string | undefined;
}

const ENDINGS: readonly (readonly [RegExp, TraceType])[] = [
  [/\.u32$/i, 'u32'],
  [/\.csv$/i, 'csv'],
  [/\.oracleGeneral(\.|$)/i, 'oracleGeneral'],
];

const UNPACKERS: readonly (readonly [RegExp, (bytes: Buffer) => Buffer])[] = [
  [/\.br$/i, brotliDecompressSync],
  [/\.gz$/i, gunzipSync],
  [
    /\.zst$/i,
    () => {
      throw new InputError('zstd is not read here: unpack it with `zstd -d` first');
    },
  ],
];

/** The format that a file's name without the ending of its compression tells. */
function typeOf(name: string): TraceType {
  return ENDINGS.find(([ending]) => ending.test(name))?.[1] ?? 'txt';
}

function readBytes(path: string): Buffer {
  try {
    if (statSync(path).isDirectory()) throw new InputError('it is a directory');
    return readFileSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new InputError('there is no such file');
    throw error;
  }
}

function unpack(name: string, bytes: Buffer): { name: string; bytes: Buffer } {
  const packed = UNPACKERS.find(([ending]) => ending.test(name));
  if (packed === undefined) return { name, bytes };
  const [ending, unpacker] = packed;
  return { name: name.replace(ending, ''), bytes: unpacker(bytes) };
}

function idsIn(bytes: Buffer, type: TraceType, columns: string | undefined) {
  if (type === 'u32') return readWords(bytes);
  if (type === 'oracleGeneral') return readOracleGeneral(bytes);
  return type === 'csv' ? readCsv(bytes, parseColumns(columns ?? '')) : readLines(bytes);
}

function read(path: string, options: TraceFileOptions): Stream {
  const { name, bytes } = unpack(basename(path), readBytes(path));
  const type = options.type ?? typeOf(name);
  if (options.columns !== undefined && type !== 'csv') {
    throw new InputError(`columns are told of csv files, and this is read as ${type}`);
  }
  const title = type === 'txt' ? name.replace(/\.txt$/i, '') : name.replace(/\..*$/, '');
  const stream = streamOf(title, idsIn(bytes, type, options.columns));
  if (stream.keys.length === 0) throw new InputError('it has no requests');
  return stream;
}

/** The stream in a file. Throws `InputError` that names the file when it is none. */
export function readTraceFile(path: string, options: TraceFileOptions = {}): Stream {
  try {
    return read(path, options);
  } catch (error) {
    throw new InputError(`the trace ${path} can't be read: ${messageOf(error)}`);
  }
}
