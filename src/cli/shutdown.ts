/**
 * How a serving process ends. The first SIGTERM or SIGINT lets requests in work finish; a second
 * one, of either kind, ends the process as if nobody had caught it. `process.exit` would not do for
 * that: it tears down threads whose sockets are open, which aborts with a core dump.
 */
import type { Timers } from '../base/timers.js';
import { type Context, type RunningNode, warn } from './context.js';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
/** What closing may take beyond draining before something must be stuck, in milliseconds. */
const CLOSING_MS = 4_000;

type Signal = (typeof SIGNALS)[number];

function nextSignal(): Promise<Signal> {
  return new Promise((resolve) => {
    const listener = (signal: NodeJS.Signals): void => {
      for (const other of SIGNALS) process.off(other, listener);
      resolve(signal as Signal);
    };
    for (const signal of SIGNALS) process.on(signal, listener);
  });
}

/** Dies of the signal, so that the parent sees what happened. */
function dieOf(signal: Signal | 'SIGKILL'): void {
  process.kill(process.pid, signal);
}

/** Closes the node, or dies if that gets stuck. */
async function close(
  node: RunningNode,
  drainMs: number,
  timers: Timers,
  context: Context,
): Promise<void> {
  const alarm = timers.after(drainMs + CLOSING_MS, () => {
    warn(context, 'closing takes too long: stopping at once');
    dieOf('SIGKILL');
  });
  await node.close();
  alarm.cancel();
}

/** Why serving ends: a signal, a parent that is gone, a departure, or a failure. */
type End = Signal | 'parent' | 'departure' | Error;

const REASONS: Readonly<Record<'parent' | 'departure', string>> = {
  parent: 'the process that started this one is gone: finishing requests in work',
  departure: 'this node has left its cluster: finishing requests in work',
};

/** A parent that keeps a channel open wants its children to end with it. */
function orphaned(): Promise<'parent'> {
  return new Promise((resolve) => {
    if (process.connected) process.once('disconnect', () => resolve('parent'));
  });
}

function reasonOf(end: Exclude<End, Error>): string {
  if (end === 'parent' || end === 'departure') return REASONS[end];
  return `${end}: finishing requests in work; once more to stop at once`;
}

/**
 * Serves until a signal comes, the node leaves its cluster or fails, and then closes it; rejects
 * with the failure.
 */
export async function serveUntilSignal(
  node: RunningNode,
  drainMs: number,
  timers: Timers,
  context: Context,
): Promise<void> {
  const departure = node.departure.then(() => 'departure' as const);
  const end: End = await Promise.race([nextSignal(), orphaned(), departure, node.failure]);
  void nextSignal().then(dieOf);
  const failed = end instanceof Error;
  if (!failed) warn(context, reasonOf(end));
  await close(node, drainMs, timers, context);
  if (failed) throw end;
}
