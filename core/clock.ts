/** Something that can be stopped before it happens. */
export interface Timer {
  cancel(): void;
}

/**
 * The only source of time. Instants are epoch milliseconds.
 *
 * `at` runs a job once `now()` has reached `time` (at once when it already has, but never synchronously).
 * `track` tells the clock about work in progress, so that a virtual clock does not move on while something still
 * runs; a job started by `at` is tracked by itself.
 */
export interface Clock {
  now(): number;
  at(time: number, job: () => void | Promise<void>): Timer;
  track<T>(work: Promise<T>): Promise<T>;
}

const LONGEST_TIMEOUT_MS = 2_147_483_647;

/**
 * The machine's own time, put forward by `ahead` milliseconds. A job that throws is reported through `onError`: it has no
 * caller to tell.
 */
export const systemClock = (onError: (error: unknown) => void, aheadMs = 0): Clock => ({
  now: () => Date.now() + aheadMs,
  at(time, job) {
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      const wait = Math.max(0, time - aheadMs - Date.now());
      handle = setTimeout(
        () => {
          if (Date.now() + aheadMs < time) return arm();
          Promise.resolve().then(job).catch(onError);
        },
        Math.min(wait, LONGEST_TIMEOUT_MS),
      );
      // What is planned for later must not keep a process alive that has nothing else to do.
      handle.unref();
    };
    arm();
    return { cancel: () => clearTimeout(handle) };
  },
  track: (work) => work,
});

interface Job {
  readonly time: number;
  readonly order: number;
  readonly run: () => void | Promise<void>;
  cancelled: boolean;
}

/**
 * Time that moves only when it is told to. Jobs of one instant start in the order in which they were set and run
 * concurrently; time stands still until all tracked work of that instant has ended.
 */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  #jobs: Job[] = [];
  #running = 0;
  #failures: unknown[] = [];
  #wake: (() => void) | undefined;

  constructor(start: number) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  at(time: number, run: () => void | Promise<void>): Timer {
    const job: Job = { time: Math.max(time, this.#now), order: this.#order++, run, cancelled: false };
    let low = 0;
    let high = this.#jobs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#jobs[middle] as Job;
      if (other.time <= job.time) low = middle + 1;
      else high = middle;
    }
    this.#jobs.splice(low, 0, job);
    this.#wake?.();
    return {
      cancel: () => {
        job.cancelled = true;
      },
    };
  }

  async track<T>(work: Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await work;
    } finally {
      this.#running--;
      this.#wake?.();
    }
  }

  /** The instant of the next job, or undefined when nothing is planned. */
  next(): number | undefined {
    while (this.#jobs[0]?.cancelled) this.#jobs.shift();
    return this.#jobs[0]?.time;
  }

  /** Runs everything due up to and including `time`, then leaves the clock there. Throws what a job threw. */
  async runUntil(time: number): Promise<void> {
    for (;;) {
      const next = this.next();
      if (next !== undefined && next <= this.#now) {
        const job = this.#jobs.shift() as Job;
        this.#start(job);
        continue;
      }
      if (this.#running > 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
        continue;
      }
      this.#throwFailure();
      if (next === undefined || next > time) break;
      this.#now = next;
    }
    this.#now = Math.max(this.#now, time);
  }

  /** Runs until nothing is planned and nothing runs, at most to `limit`. */
  async runUntilIdle(limit: number): Promise<void> {
    for (;;) {
      await this.runUntil(this.#now);
      const next = this.next();
      if (next === undefined || next > limit) return;
      await this.runUntil(next);
    }
  }

  #start(job: Job): void {
    // The failure is noted before the work counts as ended: who waits for its end looks for failures next.
    void this.track(
      Promise.resolve()
        .then(job.run)
        .catch((error: unknown) => {
          this.#failures.push(error);
        }),
    );
  }

  #throwFailure(): void {
    const [first, ...rest] = this.#failures.splice(0);
    if (first === undefined) return;
    throw rest.length === 0 ? first : new AggregateError([first, ...rest], 'several jobs failed');
  }
}
