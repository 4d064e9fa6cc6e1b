/** A task that is scheduled and may be called off. */
export interface Timer {
  /** Calls the task off; without effect when it has run or was called off. */
  cancel(): void;
  /** Lets the process end although the task is still due; without effect in browsers. */
  unref(): Timer;
}

/** Runs tasks later; handed in wherever something waits, so that tests and the simulator own it. */
export interface Timers {
  /** Runs `task` once, after at least `delayMs` milliseconds (at most 2^31 - 1). */
  after(delayMs: number, task: () => void): Timer;
  /** Runs `task` again and again, `periodMs` milliseconds apart (at most 2^31 - 1). */
  every(periodMs: number, task: () => void): Timer;
  /** Runs `task` once this turn of the event loop has handled its input; it can't be called off. */
  soon(task: () => void): void;
}

type Handle = ReturnType<typeof setTimeout> | number;

/** Node's handles are objects that can be unreferenced, a browser's are numbers. */
function unref(handle: Handle): void {
  if (typeof handle === 'object') handle.unref();
}

function timerOf(handle: Handle, clear: (handle: Handle) => void): Timer {
  const timer: Timer = {
    cancel: () => clear(handle),
    unref: () => {
      unref(handle);
      return timer;
    },
  };
  return timer;
}

/** The part of a browser's message channel that is used; Node's types tell another one. */
interface Channel {
  readonly port1: { onmessage: (() => void) | null };
  readonly port2: { postMessage(message: undefined): void };
}

/**
 * Browsers have no `setImmediate`, and stretch timers of no delay to 4 ms when one leads to the
 * next; messages to oneself are delivered on the next turn.
 */
function soonByMessage(): (task: () => void) => void {
  const { port1, port2 } = new MessageChannel() as unknown as Channel;
  const tasks: (() => void)[] = [];
  port1.onmessage = () => tasks.shift()?.();
  return (task) => {
    tasks.push(task);
    port2.postMessage(undefined);
  };
}

const soon: (task: () => void) => void =
  typeof setImmediate === 'function' ? (task) => setImmediate(task) : soonByMessage();

/** The timers of this runtime. */
export const systemTimers: Timers = {
  after: (delayMs, task) =>
    timerOf(setTimeout(task, delayMs), (handle) => clearTimeout(handle as number)),
  every: (periodMs, task) =>
    timerOf(setInterval(task, periodMs), (handle) => clearInterval(handle as number)),
  soon,
};

/** Resolves after at least `delayMs` milliseconds. */
export function sleep(timers: Timers, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    timers.after(delayMs, resolve);
  });
}
