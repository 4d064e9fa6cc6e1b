/**
 * What two nodes say to each other to compare what they share. A message is a kind as u8 and its
 * fields; whoever asks is known by the link.
 *
 *   request  0 begin   cluster u64, number u64, seed u32        a survey, under a configuration
 *            1 look    survey u32, level u8, n u16, n x u32     digests below so many shares
 *            2 list    survey u32, n u32, n x u32               finds the keys in so many leaves
 *            3 page    survey u32, from u32                     some of them
 *            4 again                                            compares itself with who asks
 *            5 touched                                          when it was in touch last
 *
 *   answer   0 no      another configuration, or a survey that is not known (any more)
 *            1 wait    it is being gone through
 *            2 yes     begin: survey u32, 1 u32 if it lost its memory and lacks things, else 0;
 *                      look: n x digests of 12 bytes; page: see `pages.ts`;
 *                      touched: Unix ms, u64
 *            3 many    list: more than is told one by one
 */
import { FieldReader, FieldWriter, FormatError, soundly } from '../ring/fields.js';
import type { Level } from './digests.js';

/** One request. */
export type DigestRequest =
  | {
      readonly kind: 'begin';
      readonly cluster: string;
      readonly number: number;
      readonly seed: number;
    }
  | {
      readonly kind: 'look';
      readonly survey: number;
      readonly level: Level;
      readonly shares: readonly number[];
    }
  | { readonly kind: 'list'; readonly survey: number; readonly leaves: readonly number[] }
  | { readonly kind: 'page'; readonly survey: number; readonly from: number }
  | { readonly kind: 'again' }
  | { readonly kind: 'touched' };

/** What is answered: `body` belongs to `yes`. */
export interface DigestAnswer {
  readonly kind: 'no' | 'wait' | 'yes' | 'many';
  readonly body: Uint8Array;
}

/** Shares in one look at most, and leaves in a list. */
export const LOOK_SHARES_MAX = 1024;
export const LIST_LEAVES_MAX = 16_384;

const KINDS = ['begin', 'look', 'list', 'page', 'again', 'touched'] as const;
const ANSWERS = ['no', 'wait', 'yes', 'many'] as const;
const LEVELS: readonly Level[] = ['groups', 'slots', 'leaves'];
const NOTHING = new Uint8Array(0);

/** The bytes of a request. */
export function encodeDigestRequest(request: DigestRequest): Uint8Array {
  const writer = new FieldWriter();
  writer.u8(KINDS.indexOf(request.kind));
  if (request.kind === 'begin') {
    writer.hex64(request.cluster);
    writer.count(request.number);
    writer.u32(request.seed);
  } else if (request.kind === 'look') {
    writer.u32(request.survey);
    writer.u8(LEVELS.indexOf(request.level));
    writer.u16(request.shares.length);
    for (const share of request.shares) writer.u32(share);
  } else if (request.kind === 'list') {
    writer.u32(request.survey);
    writer.u32(request.leaves.length);
    for (const leaf of request.leaves) writer.u32(leaf);
  } else if (request.kind === 'page') {
    writer.u32(request.survey);
    writer.u32(request.from);
  }
  return writer.done();
}

function words(reader: FieldReader, count: number, most: number): number[] {
  if (count > most) throw new FormatError('a list is too long');
  return Array.from({ length: count }, () => reader.u32());
}

function readRequest(reader: FieldReader): DigestRequest {
  const kind = KINDS[reader.u8()];
  switch (kind) {
    case 'begin':
      return { kind, cluster: reader.hex64(), number: reader.count(), seed: reader.u32() };
    case 'look': {
      const [survey, level] = [reader.u32(), LEVELS[reader.u8()]];
      if (level === undefined) throw new FormatError('no level');
      return { kind, survey, level, shares: words(reader, reader.u16(), LOOK_SHARES_MAX) };
    }
    case 'list': {
      const survey = reader.u32();
      return { kind, survey, leaves: words(reader, reader.u32(), LIST_LEAVES_MAX) };
    }
    case 'page':
      return { kind, survey: reader.u32(), from: reader.u32() };
    case 'again':
    case 'touched':
      return { kind };
    default:
      throw new FormatError('no kind of request');
  }
}

/** A time in Unix milliseconds as the body of an answer. */
export function bytesOfTime(ms: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(Math.floor(ms)), true);
  return bytes;
}

/** The time in an answer; nothing when there is none. */
export function timeOfBytes(bytes: Uint8Array): number | undefined {
  if (bytes.length !== 8) return undefined;
  return Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
}

/** The request in bytes from another node; nothing when they are none. */
export function decodeDigestRequest(bytes: Uint8Array): DigestRequest | undefined {
  return soundly(() => {
    const reader = new FieldReader(bytes);
    const request = readRequest(reader);
    reader.end();
    return request;
  });
}

/** The bytes of an answer. */
export function encodeDigestAnswer(
  kind: DigestAnswer['kind'],
  body: Uint8Array = NOTHING,
): Uint8Array {
  const bytes = new Uint8Array(1 + body.length);
  bytes[0] = ANSWERS.indexOf(kind);
  bytes.set(body, 1);
  return bytes;
}

/** The answer in bytes from another node; nothing when they are none. */
export function decodeDigestAnswer(bytes: Uint8Array | undefined): DigestAnswer | undefined {
  const kind = ANSWERS[bytes?.[0] ?? ANSWERS.length];
  return kind === undefined || bytes === undefined ? undefined : { kind, body: bytes.slice(1) };
}

/** Words as they lie in an answer, little-endian. */
export function bytesOfWords(all: readonly Uint32Array[]): Uint8Array {
  const count = all.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(4 * count);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const some of all) {
    for (const word of some) {
      view.setUint32(at, word, true);
      at += 4;
    }
  }
  return bytes;
}

/** The words in an answer; what is left over does not count. */
export function wordsOfBytes(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.floor(bytes.length / 4);
  return Uint32Array.from({ length: count }, (_, n) => view.getUint32(4 * n, true));
}
