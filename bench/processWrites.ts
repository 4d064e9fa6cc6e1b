/** What a process has had written to disks, as the kernel counts it. */
import { readFileSync } from 'node:fs';

/** Bytes so far. Throws when there is no such process. */
export function writtenBytesOf(pid: number): number {
  const io = readFileSync(`/proc/${pid}/io`, 'utf8');
  return Number(/^write_bytes: (\d+)$/m.exec(io)?.[1] ?? Number.NaN);
}
