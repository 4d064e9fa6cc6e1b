import { type Logger, pino } from 'pino';
import type { LogFormat, LogLevel } from '../config/config.js';

/** How a node logs. */
export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Whether `stdout` is a terminal; decides what `auto` means. */
  readonly terminal: boolean;
}

const STDOUT = 1;

/**
 * A logger on standard output: JSON lines for programs, text for people. It writes at once and on
 * the calling thread, so that the last line before an end is not lost; little enough is logged for
 * that. Nobody gives it keys, values or tokens.
 */
export async function createLogger(options: LogOptions): Promise<Logger> {
  const text = options.format === 'text' || (options.format === 'auto' && options.terminal);
  const settings = { level: options.level, base: null, formatters: { level: labelOf } };
  if (!text) {
    const destination = pino.destination({ dest: STDOUT, sync: true });
    // A pipe without a reader, a full disk: no reason to stop serving.
    destination.on('error', () => {});
    return pino(settings, destination);
  }
  // Loaded late: a node that logs for programs has no use for it.
  const { build } = await import('pino-pretty');
  const colorize = options.terminal;
  const stream = build({
    colorize,
    destination: STDOUT,
    sync: true,
    singleLine: true,
    translateTime: 'HH:MM:ss.l',
  });
  return pino(settings, stream);
}

const labelOf = (label: string): { level: string } => ({ level: label });
