import { randomUUID } from 'node:crypto';
import { HubspotError } from '../errors.ts';

/** How many requests an app may make. `Infinity` lifts a limit. */
export interface RateLimits {
  readonly tenSeconds: number;
  readonly searchPerSecond: number;
  readonly daily: number;
}

/** Of a private app in a Professional account. */
export const professional: RateLimits = { tenSeconds: 190, searchPerSecond: 5, daily: 625_000 };

const INTERVAL = 10_000;
const DAY = 86_400_000;

export class TooManyRequests extends HubspotError {
  readonly #policy: Readonly<Record<string, string>>;

  constructor(
    message: string,
    policy: Readonly<Record<string, string>>,
    headers: Readonly<Record<string, string>>,
  ) {
    super(429, message, {}, headers);
    this.#policy = policy;
  }

  override body(): Record<string, unknown> {
    return { ...super.body(), errorType: 'RATE_LIMIT', requestId: randomUUID(), ...this.#policy };
  }
}

/** Counts requests by the account's clock. Searches count by the second, and their answers have no headers about it. */
export class Limits {
  readonly #now: () => number;
  readonly #limits: RateLimits;
  #recent: number[] = [];
  #searches: number[] = [];
  #day = 0;
  #today = 0;

  constructor(now: () => number, limits: RateLimits) {
    this.#now = now;
    this.#limits = limits;
  }

  get today(): number {
    return Math.floor(this.#now() / DAY) === this.#day ? this.#today : 0;
  }

  get daily(): number {
    return this.#limits.daily;
  }

  /** Counts a request; returns the headers of its answer or throws the refusal. */
  count(search: boolean): Readonly<Record<string, string>> {
    const now = this.#now();
    const day = Math.floor(now / DAY);
    if (day !== this.#day) this.#today = 0;
    this.#day = day;
    this.#recent = this.#recent.filter((at) => at > now - INTERVAL);
    this.#searches = this.#searches.filter((at) => at > now - 1_000);
    if (this.#today >= this.#limits.daily) throw this.exhausted();
    if (search && this.#searches.length >= this.#limits.searchPerSecond)
      throw new TooManyRequests('You have reached your secondly limit.', { policyName: 'SECONDLY' }, {});
    if (!search && this.#recent.length >= this.#limits.tenSeconds) throw this.throttled();
    this.#today += 1;
    (search ? this.#searches : this.#recent).push(now);
    return search ? {} : this.headers();
  }

  throttled(): TooManyRequests {
    return new TooManyRequests(
      'You have reached your ten_secondly_rolling limit.',
      { policyName: 'TEN_SECONDLY_ROLLING', groupName: 'publicapi:private-apps-api-calls-ten-secondly' },
      { ...this.headers(), 'X-HubSpot-RateLimit-Remaining': '0' },
    );
  }

  exhausted(): TooManyRequests {
    return new TooManyRequests(
      'You have reached your daily limit.',
      { policyName: 'DAILY' },
      { ...this.headers(), 'X-HubSpot-RateLimit-Daily-Remaining': '0' },
    );
  }

  headers(): Readonly<Record<string, string>> {
    const { tenSeconds, daily } = this.#limits;
    return {
      ...(Number.isFinite(tenSeconds) && {
        'X-HubSpot-RateLimit-Max': String(tenSeconds),
        'X-HubSpot-RateLimit-Remaining': String(Math.max(0, tenSeconds - this.#recent.length)),
        'X-HubSpot-RateLimit-Interval-Milliseconds': String(INTERVAL),
      }),
      ...(Number.isFinite(daily) && {
        'X-HubSpot-RateLimit-Daily': String(daily),
        'X-HubSpot-RateLimit-Daily-Remaining': String(Math.max(0, daily - this.#today)),
      }),
    };
  }
}
