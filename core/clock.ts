/** A planned job that can be cancelled before it starts. */
export interface Timer {
  cancel(): void;
}

/**
 * The only source of time. Instants are epoch milliseconds.
 *
 * `at` runs a job when `now()` reaches `time`: immediately if it already has, but never synchronously.
 * `track` registers work in progress: a virtual clock does not advance while tracked work runs. Jobs of `at` are tracked
 * automatically. A job that `recurs` plans its own successor, for ever.
 */
export interface Clock {
  now(): number;
  at(time: number, job: () => void | Promise<void>, recurs?: boolean): Timer;
  track<T>(work: Promise<T>): Promise<T>;
}

/** The longest delay of `setTimeout`. */
const MAX_TIMEOUT_MS = 2_147_483_647;

/** The time of the machine plus `aheadMs`. The errors of jobs go to `onError`, because a job has no caller. */
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
        Math.min(wait, MAX_TIMEOUT_MS),
      );
      // A planned job must not keep an idle process alive.
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
  readonly recurs: boolean;
  cancelled: boolean;
}

/**
 * A clock that advances only by `runUntil` and `runUntilIdle`. Jobs of one instant start in the order in which they were
 * planned and run concurrently. The time does not advance until all tracked work of that instant has ended.
 */
export class VirtualClock implements Clock {
  #now: number;
  #order = 0;
  #jobs: Job[] = [];
  #running = 0;
  #failures: unknown[] = [];
  #wake: (() => void) | undefined;

  readonly #runsRecurring: boolean;

  /** `runsRecurring`: whether jobs that recur run at all; without them weeks in which nothing happens cost nothing. */
  constructor(start: number, { runsRecurring = true }: { readonly runsRecurring?: boolean } = {}) {
    this.#now = start;
    this.#runsRecurring = runsRecurring;
  }

  now(): number {
    return this.#now;
  }

  at(time: number, run: () => void | Promise<void>, recurs = false): Timer {
    if (recurs && !this.#runsRecurring) return { cancel: () => undefined };
    return this.aside(time, run, recurs);
  }

  /** Plans a job as `at` does. One that `recurs` runs in any case, and `runUntilIdle` does not wait for it. */
  aside(time: number, run: () => void | Promise<void>, recurs = true): Timer {
    const order = this.#order++;
    const job: Job = { time: Math.max(time, this.#now), order, run, recurs, cancelled: false };
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

  /** The instant of the next job; undefined if none is planned. */
  next(): number | undefined {
    while (this.#jobs[0]?.cancelled) this.#jobs.shift();
    return this.#jobs[0]?.time;
  }

  /** Runs the jobs up to and including `time`, then sets the clock to it. Throws the error of a job. */
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

  /** Runs until no job is planned or running but those that recur, at most to `limit`. */
  async runUntilIdle(limit: number): Promise<void> {
    for (;;) {
      await this.runUntil(this.#now);
      const next = this.#jobs.find(({ cancelled, recurs }) => !cancelled && !recurs)?.time;
      if (next === undefined || next > limit) return;
      await this.runUntil(next);
    }
  }

  #start(job: Job): void {
    // Records the failure before the work counts as ended, because `runUntil` checks for failures right after the end.
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
