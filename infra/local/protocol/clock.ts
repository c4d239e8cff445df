/** A job that can be cancelled before it runs. */
export interface Timer {
  cancel(): void;
}

/** The runtime's only source of time. Instants are epoch milliseconds. */
export interface Clock {
  now(): number;
  /** Runs a job asynchronously when `now()` reaches `time`. A job that `recurs` plans its own successor, for ever. */
  at(time: number, job: () => void | Promise<void>, recurs?: boolean): Timer;
  /** Marks work in progress, so that a virtual clock does not advance while it runs. */
  track<T>(work: Promise<T>): Promise<T>;
}
