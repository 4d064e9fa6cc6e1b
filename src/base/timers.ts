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

/** Browsers have no `setImmediate`; a timer of no delay is the next best there. */
const soon: (task: () => void) => void =
  typeof setImmediate === 'function' ? (task) => setImmediate(task) : (task) => setTimeout(task, 0);

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
