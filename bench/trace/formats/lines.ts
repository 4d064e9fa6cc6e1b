const NEWLINE = 10;
const RETURN = 13;

/** The lines of a text without their ends, one key each; empty lines are none. */
export function* readLines(bytes: Buffer): Generator<string> {
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf(NEWLINE, from);
    const next = found < 0 ? bytes.length : found;
    const end = next > from && bytes[next - 1] === RETURN ? next - 1 : next;
    // Bytes, not letters, tell keys apart, whatever they are encoded in.
    if (end > from) yield bytes.toString('latin1', from, end);
    from = next + 1;
  }
}
