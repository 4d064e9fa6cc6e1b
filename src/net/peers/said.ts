/** What a node says of a key when another one asks, and how somebody gets it, or lets go. */
import type { AnswerReader } from '../../protocol/answerReader.js';
import { FrameWriter } from '../../protocol/frameWriter.js';
import { encodeRequest } from '../../protocol/request.js';
import { STATUS } from '../../protocol/status.js';
import {
  FLAG_EXPIRY,
  FLAG_NO_VALUE,
  FLAG_PEEK,
  FLAG_TOMBSTONE,
  FLAG_VERSION,
  FLAG_WITH_META,
  LEVEL_ONE,
  OP_DELETE,
  OP_GET,
  OP_MERGE,
} from '../../protocol/wire.js';
import { TOMBSTONE_MS } from '../../replication/change.js';
import type { Finding } from '../../replication/findings.js';

/** What an owner has said, copied. */
export interface Said extends Finding {
  readonly encoding: number;
  readonly ttlMs: number | undefined;
  readonly value: Uint8Array;
}

/**
 * The question what a node has of a key. Above the level `one`, a node that may lack what it had
 * acknowledged does not answer.
 */
export function question(key: Uint8Array, withValue: boolean, level = LEVEL_ONE): Uint8Array {
  const writer = new FrameWriter(64 + key.length);
  const flags = FLAG_PEEK | FLAG_WITH_META | (withValue ? 0 : FLAG_NO_VALUE);
  encodeRequest(writer, { id: 0, opcode: OP_GET, flags, key, level });
  return writer.frame();
}

/** What an answer to that says; nothing when it says nothing of the key. */
export function saidBy(id: string, answer: AnswerReader): Said | undefined {
  const found = answer.status === STATUS.OK;
  if (!found && answer.status !== STATUS.NOT_FOUND) return undefined;
  const version = answer.version();
  return {
    id,
    version,
    tombstone: !found && version !== undefined,
    forgotten: answer.cursor() ?? 0n,
    encoding: answer.encoding,
    ttlMs: answer.ttlMs(),
    value: answer.bytes.slice(answer.bodyAt, answer.bodyEnd),
  };
}

/** The merge that brings somebody what `said` has. */
export function repairOf(key: Uint8Array, said: Said, nowMs: number): Uint8Array {
  const writer = new FrameWriter(128 + said.value.length);
  const version = said.version ?? 0n;
  const base = { id: 0, opcode: OP_MERGE, key, version };
  if (said.tombstone) {
    const expiryMs = nowMs + TOMBSTONE_MS;
    const flags = FLAG_VERSION | FLAG_EXPIRY | FLAG_TOMBSTONE;
    encodeRequest(writer, { ...base, flags, expiryMs });
  } else {
    const expiryMs = said.ttlMs === undefined ? 0 : nowMs + said.ttlMs;
    const flags = FLAG_VERSION | (expiryMs === 0 ? 0 : FLAG_EXPIRY);
    const { encoding, value } = said;
    encodeRequest(writer, { ...base, flags, expiryMs, encoding, value });
  }
  return writer.frame();
}

/** Whether who was told that has it now, or has something newer. */
export function isMerged(answer: AnswerReader | undefined): boolean {
  return answer?.status === STATUS.OK || answer?.status === STATUS.EXISTS;
}

/** What makes a node let go of a version of a key without saying that it was deleted. */
export function purgeOf(key: Uint8Array, version: bigint): Uint8Array {
  const writer = new FrameWriter(64 + key.length);
  const flags = FLAG_PEEK | FLAG_VERSION;
  encodeRequest(writer, { id: 0, opcode: OP_DELETE, flags, key, version });
  return writer.frame();
}
