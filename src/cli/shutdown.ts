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

/** Serves until a signal comes or the node fails, then closes it; rejects with the failure. */
export async function serveUntilSignal(
  node: RunningNode,
  drainMs: number,
  timers: Timers,
  context: Context,
): Promise<void> {
  const end = await Promise.race([nextSignal(), node.failure]);
  void nextSignal().then(dieOf);
  const failed = end instanceof Error;
  if (!failed) warn(context, `${end}: finishing requests in work; once more to stop at once`);
  await close(node, drainMs, timers, context);
  if (failed) throw end;
}
