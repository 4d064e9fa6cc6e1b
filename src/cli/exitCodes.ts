/**
 * What the process ends with. Scripts branch on these numbers, so they never change; `--help` and
 * the README list them.
 */
export const EXIT = {
  /** Done; for a question: yes, there it is. */
  ok: 0,
  /** The node answered no: no such key, condition not met. */
  negative: 1,
  /** The command, a flag or the configuration makes no sense. */
  usage: 2,
  /** No node was reached, or it did not answer in time. */
  connection: 3,
  /** The node refused or failed. */
  server: 4,
  /** A fault in this program. */
  internal: 70,
} as const;

/** The number a process ends with. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The part of each `--help` that lists the exit codes. */
export const EXIT_CODES_HELP = `Exit codes:
  0   done
  1   the node answered no: no such key, or a condition was not met
  2   the command, a flag or the configuration is wrong
  3   no node was reached, or it did not answer in time
  4   the node refused or failed (token, size, memory, type)
  70  a fault in this program`;
