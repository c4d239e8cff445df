import { RestError } from '../data/errors.ts';

const HOUR = 3_600_000;
const RULE = '0123456789abcdef0123456789abcdef';

type Headers = Readonly<Record<string, string>>;

/** An administrator's rate limit rule for the user of the integration: so many requests in an hour of the clock. */
export class RateLimit {
  readonly #now: () => number;
  readonly #perHour: number | undefined;
  #hour = 0;
  #used = 0;

  /** Without a number there is no rule, and answers have no headers about it. */
  constructor(now: () => number, perHour: number | undefined) {
    this.#now = now;
    this.#perHour = perHour;
  }

  /** Counts a request; returns the headers of its answer or throws the refusal. */
  count(): Headers {
    if (this.#perHour === undefined) return {};
    const hour = Math.floor(this.#now() / HOUR);
    if (hour !== this.#hour) this.#used = 0;
    this.#hour = hour;
    this.#used += 1;
    const reset = (hour + 1) * HOUR;
    if (this.#used > this.#perHour) throw this.exceeded(reset - this.#now());
    return this.#headers(this.#perHour, reset);
  }

  /** The refusal of a request that comes so many milliseconds before the next hour of a rule. */
  exceeded(wait: number): RestError {
    const limit = this.#perHour ?? 10;
    return new RestError(
      429,
      'Rate limit exceeded',
      `Rate limit of ${limit} requests per hour for Table API exceeded`,
      {
        ...this.#headers(limit, this.#now() + wait),
        'Retry-After': String(Math.ceil(wait / 1_000)),
      },
    );
  }

  #headers(limit: number, reset: number): Headers {
    return {
      'X-RateLimit-Limit': String(limit),
      'X-RateLimit-Reset': String(Math.floor(reset / 1_000)),
      'X-RateLimit-Rule': RULE,
    };
  }
}
