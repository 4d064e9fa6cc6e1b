/**
 * What stands before changes on their way to a peer: from whom they come, and under which epoch
 * that node tells them. Who knows a higher epoch refuses what follows: the sender may have been
 * passed over, so that others lead what it led. Where all owners are alike it is the number of the
 * configuration that the changes were made under, and nothing is refused (`net/peers/fences.ts`).
 *
 * A fence is a request by its form: the opcode FENCE, the epoch as its version, the node as key. It
 * carries the id of the frame that it stands in front of, and is answered as each of its changes;
 * where all owners are alike only if the peer knows a higher number.
 */
import { FrameWriter } from '../protocol/frameWriter.js';
import { encodeRequest } from '../protocol/request.js';
import { RequestReader } from '../protocol/requestReader.js';
import {
  FLAG_VERSION,
  OP_FENCE,
  REQUEST_HEADER_BYTES,
  REQUEST_OPCODE_AT,
} from '../protocol/wire.js';

/** A fence that was read. */
export interface Fence {
  readonly id: number;
  /** The name of the node that tells. */
  readonly from: string;
  /** Or the number of a configuration. */
  readonly epoch: number;
  /** Where what it stands before begins. */
  readonly end: number;
}

/** The bytes of a fence. */
export function encodeFence(id: number, from: string, epoch: number): Uint8Array {
  const writer = new FrameWriter(96);
  const version = BigInt(epoch);
  encodeRequest(writer, { id, opcode: OP_FENCE, flags: FLAG_VERSION, key: from, version });
  return writer.frame();
}

/** The fence that a frame begins with, if it begins with one that is sound. */
export function fenceOf(frame: Uint8Array): Fence | undefined {
  if (frame.length < REQUEST_HEADER_BYTES || frame[REQUEST_OPCODE_AT] !== OP_FENCE) {
    return undefined;
  }
  const reader = new RequestReader(frame);
  if (!reader.next() || reader.flags !== FLAG_VERSION) return undefined;
  const from = Buffer.from(reader.key()).toString('latin1');
  const epoch = Number(reader.field(FLAG_VERSION));
  return { id: reader.id, from, epoch, end: reader.end };
}
