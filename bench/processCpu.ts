/** Processor time as the kernel counts it: of another process, and what the host took away. */
import { readFileSync } from 'node:fs';

/** The kernel reports ticks of `USER_HZ`, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
/**
 * Fields are counted behind the process's name; `utime` and `stime` are the 14th and 15th of all.
 */
const UTIME_FIELD = 11;
const STIME_FIELD = 12;

/** Seconds of user and system time, over all threads, in the text of a `/proc/PID/stat`. */
export function cpuSecondsIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[UTIME_FIELD]) + Number(fields[STIME_FIELD]);
  if (!Number.isFinite(ticks)) throw new Error(`not a process's stat: ${stat}`);
  return ticks / TICKS_PER_SECOND;
}

/** Seconds of processor time that process `pid` has used; throws when it does not exist. */
export function cpuSecondsOf(pid: number): number {
  return cpuSecondsIn(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/** `steal` is the 8th number behind `cpu`. */
const STEAL_FIELD = 8;

/** Seconds, over all processors, for which the host let another machine run, by `/proc/stat`. */
export function stolenSecondsIn(stat: string): number {
  const all = stat.slice(0, stat.indexOf('\n')).split(/ +/);
  return Number(all[STEAL_FIELD] ?? 0) / TICKS_PER_SECOND;
}

/** Seconds that the host has taken from this machine so far. */
export function stolenSeconds(): number {
  return stolenSecondsIn(readFileSync('/proc/stat', 'utf8'));
}
