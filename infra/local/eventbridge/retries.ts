import { ServiceError } from '../protocol/json.ts';

/** The error of a failed delivery, for its dead letter. `final`: it is not retried. */
export interface DeliveryFault {
  readonly code: string;
  readonly message: string;
  readonly final: boolean;
}

const FINAL: Readonly<Record<string, string>> = {
  AccessDenied: 'NO_PERMISSIONS',
  AccessDeniedException: 'NO_PERMISSIONS',
  QueueDoesNotExist: 'NO_RESOURCE',
  ResourceNotFoundException: 'NO_RESOURCE',
};

/** Classifies an error. A missing permission and a missing target are final. */
export const deliveryFault = (error: unknown): DeliveryFault => {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof ServiceError ? FINAL[error.type] : undefined;
  return { code: code ?? 'ERROR_FROM_TARGET', message, final: code !== undefined };
};

export interface RetryPolicy {
  readonly MaximumRetryAttempts?: number | undefined;
  readonly MaximumEventAgeInSeconds?: number | undefined;
}

const LONGEST_PAUSE_MS = 60_000;
export const MOST_RETRIES = 185;
export const OLDEST_SECONDS = 86_400;

/**
 * The instant of the next attempt, or the condition that ends the retries. The pause doubles up to a minute; half of it
 * is random.
 */
export const afterFailure = (
  policy: RetryPolicy | undefined,
  { attempts, since, now }: { readonly attempts: number; readonly since: number; readonly now: number },
  random: () => number,
): { readonly at: number } | { readonly exhausted: string } => {
  if (attempts >= (policy?.MaximumRetryAttempts ?? MOST_RETRIES))
    return { exhausted: 'MaximumRetryAttempts' };
  const pause = Math.min(LONGEST_PAUSE_MS, 1000 * 2 ** attempts);
  const at = now + Math.ceil(pause * (0.5 + random() / 2));
  if (at - since > (policy?.MaximumEventAgeInSeconds ?? OLDEST_SECONDS) * 1000)
    return { exhausted: 'MaximumEventAgeInSeconds' };
  return { at };
};
