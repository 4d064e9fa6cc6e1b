/**
 * The envelope of a datagram:
 *
 *   0       2         3      4         8            16
 *   +-------+---------+------+---------+------------+---------------------------------------------+
 *   | 'og'  | version | form | cluster | from: boot | in the clear: the body                      |
 *   +-------+---------+------+---------+------------+---------------------------------------------+
 *
 *   16          24          30        32
 *   +-----------+-----------+---------+---------------------+-------------------------------------+
 *   | to: boot  | counter   | key tag | sealed body         | tag of AES-256-GCM, 16 bytes        |
 *   +-----------+-----------+---------+---------------------+-------------------------------------+
 *
 * `cluster` is the start of the SHA-256 of the cluster's name, so that clusters which meet by
 * mistake do not mix. The first 32 bytes of a sealed datagram are authenticated with it. `to` is
 * zero while the receiver's boot is not known; such a datagram can only greet.
 */
import { createHash } from 'node:crypto';
import { DATAGRAM_MAX } from './channel.js';

/** `o`, `g`, little-endian. */
export const MAGIC = 0x676f;
/** The version of the layout. */
export const ENVELOPE_VERSION = 1;
/** What an envelope holds. */
export const FORMS = { plain: 0, sealed: 1, greeting: 2 } as const;

/** Where the fields are. */
export const ENVELOPE = {
  magic: 0,
  version: 2,
  form: 3,
  cluster: 4,
  from: 8,
  to: 16,
  counter: 24,
  keyTag: 30,
} as const;

/** Bytes before a body in the clear. */
export const PLAIN_HEADER_BYTES = 16;
/** Bytes before a sealed body. */
export const SEALED_HEADER_BYTES = 32;
/** Bytes after a sealed body. */
export const SEAL_BYTES = 16;
/** The longest body, in bytes, the same in both forms. */
export const BODY_MAX = DATAGRAM_MAX - SEALED_HEADER_BYTES - SEAL_BYTES;

/** What tells clusters apart in an envelope. */
export function clusterTag(cluster: string): number {
  return createHash('sha256').update(cluster).digest().readUInt32LE(0);
}

/** Writes the first 16 bytes. */
export function writeEnvelope(to: Buffer, form: number, cluster: number, boot: string): void {
  to.writeUInt16LE(MAGIC, ENVELOPE.magic);
  to.writeUInt8(ENVELOPE_VERSION, ENVELOPE.version);
  to.writeUInt8(form, ENVELOPE.form);
  to.writeUInt32LE(cluster, ENVELOPE.cluster);
  to.write(boot, ENVELOPE.from, 'hex');
}

/** The form of a datagram of this cluster, or nothing when it is none. */
export function formOf(datagram: Buffer, cluster: number): number | undefined {
  const { length } = datagram;
  if (length < PLAIN_HEADER_BYTES || length > DATAGRAM_MAX) return undefined;
  if (datagram.readUInt16LE(ENVELOPE.magic) !== MAGIC) return undefined;
  if (datagram[ENVELOPE.version] !== ENVELOPE_VERSION) return undefined;
  if (datagram.readUInt32LE(ENVELOPE.cluster) !== cluster) return undefined;
  const form = datagram[ENVELOPE.form] ?? -1;
  if (form === FORMS.plain) return form;
  const sealed = form === FORMS.sealed || form === FORMS.greeting;
  return sealed && length >= SEALED_HEADER_BYTES + SEAL_BYTES ? form : undefined;
}

/** The boot id of the sender. */
export function senderOf(datagram: Buffer): string {
  return datagram.toString('hex', ENVELOPE.from, ENVELOPE.from + 8);
}
