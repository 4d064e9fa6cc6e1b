/**
 * What a client has written, as a token that it carries from call to call: for each node that
 * acknowledged a write, and that node's boot, the position of the last one in its stream of
 * changes. A replica that has applied everything up to there answers the client with at least its
 * own writes; any other waits a moment, or passes the call on.
 *
 *    0        2       4
 *   +--------+-------+- - - - - - - - - - - - - - - - - +
 *   | format | count | boot u64, position u64, id, each |
 *   | u16    | u16   |                                  |
 *   +--------+-------+- - - - - - - - - - - - - - - - - +
 */
import { isMemberId } from '../ring/configuration.js';
import { FieldReader, FieldWriter, FormatError, soundly } from '../ring/fields.js';

const FORMAT = 1;
/** The most nodes that a token remembers; the ones that were written to longest ago go first. */
export const MAX_MARKS = 32;

/** The last write that a node acknowledged. */
export interface Mark {
  readonly id: string;
  /** The boot whose positions these are, as 16 hex digits. */
  readonly boot: string;
  readonly position: number;
}

/** The marks of one client. */
export class SessionToken {
  readonly #marks = new Map<string, Mark>();

  /** The marks, the one that was written to longest ago first. */
  get marks(): readonly Mark[] {
    return [...this.#marks.values()];
  }

  /** A write was acknowledged; whether that was news. */
  note(mark: Mark): boolean {
    const known = this.#marks.get(mark.id);
    const newer = known?.boot !== mark.boot || known.position < mark.position;
    this.#marks.delete(mark.id);
    this.#marks.set(mark.id, newer || known === undefined ? mark : known);
    const [oldest] = this.#marks.keys();
    if (this.#marks.size > MAX_MARKS && oldest !== undefined) this.#marks.delete(oldest);
    return newer;
  }

  /** Forgets all marks. */
  clear(): void {
    this.#marks.clear();
  }

  /**
   * The marks that a replica has not reached: `appliedOf` says up to which position it has the
   * changes of a node's boot, and nothing when it knows no such boot.
   */
  missing(appliedOf: (id: string, boot: string) => number | undefined): Mark[] {
    return this.marks.filter(({ id, boot, position }) => (appliedOf(id, boot) ?? -1) < position);
  }

  /** The bytes of the token. */
  encode(): Uint8Array<ArrayBuffer> {
    const writer = new FieldWriter();
    writer.u16(FORMAT);
    writer.u16(this.#marks.size);
    for (const { id, boot, position } of this.#marks.values()) {
      writer.hex64(boot);
      writer.count(position);
      writer.text(id);
    }
    return writer.done();
  }

  /** The token in `bytes`. Throws `FormatError` when they are none. */
  static decode(bytes: Uint8Array): SessionToken {
    const reader = new FieldReader(bytes);
    const format = reader.u16();
    if (format !== FORMAT) throw new FormatError(`format ${format} is not ${FORMAT}`);
    const count = reader.u16();
    if (count > MAX_MARKS) throw new FormatError(`${count} marks are more than ${MAX_MARKS}`);
    const token = new SessionToken();
    for (let n = 0; n < count; n++) {
      const [boot, position, id] = [reader.hex64(), reader.count(), reader.text()];
      if (!isMemberId(id)) throw new FormatError('a mark is nobody');
      token.note({ id, boot, position });
    }
    reader.end();
    return token;
  }
}

/** The token in some bytes; nothing when they are none. */
export function readToken(bytes: Uint8Array): SessionToken | undefined {
  return soundly(() => SessionToken.decode(bytes));
}
