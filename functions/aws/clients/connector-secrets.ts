import { HubError } from '../../../core/errors.ts';
import type { RouteSecrets } from '../../contracts/ports/secrets.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { cache } from './cache.ts';
import { isAwsRefusal } from './refusal.ts';
import { signedCalls } from './signed.ts';

const FRESH_MS = 300_000;
/** Anybody may name accounts in the URL of a webhook. */
const MOST_ROUTES = 500;

/**
 * A reader of the secrets of webhook routes: `<hub>/channels/<provider>[/<account>]` in Secrets Manager, used for five
 * minutes; `anew` reads again. Undefined where none are stored. Rejects with `HubError` `unreadable-secret` (later).
 */
export const secrets = (
  runtime: Runtime,
): ((provider: string, account: string | undefined, anew: boolean) => Promise<RouteSecrets | undefined>) => {
  const aws = signedCalls(runtime);
  const load = (id: string): Promise<RouteSecrets | undefined> =>
    aws
      .json('secretsmanager', 'GetSecretValue', { SecretId: id })
      .then((answer) => valuesOf(id, textOf(answer)), missing(id));
  const known = cache(load, { ttlMs: FRESH_MS, most: MOST_ROUTES, now: runtime.now });
  return (provider, account, anew) => {
    const id = `${runtime.env['HUB']}/channels/${provider}${account === undefined ? '' : `/${account}`}`;
    return anew ? known.refresh(id) : known.get(id);
  };
};

const missing =
  (id: string) =>
  (error: unknown): undefined => {
    if (isAwsRefusal(error, 'ResourceNotFoundException')) return undefined;
    const name = error instanceof Error ? error.name : 'unknown error';
    throw new HubError(
      'unreadable-secret',
      `Secrets Manager did not return the secret ${id} (${name}). The provider sends the webhook again.`,
      {
        retry: 'later',
        cause: error,
      },
    );
  };

/** `receive` carries no schema library, so this one shape is checked here. */
const valuesOf = (id: string, text: string | undefined): RouteSecrets => {
  const parsed: unknown = JSON.parse(text ?? '{}');
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new HubError(
      'unreadable-secret',
      `The secret ${id} must be a JSON object that names each secret value. Store it again in Secrets Manager.`,
      { retry: 'later' },
    );
  }
  return Object.fromEntries(
    Object.entries(parsed).map(([name, value]) => [
      name,
      (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string'),
    ]),
  );
};

const textOf = (answer: unknown): string | undefined => {
  const value: unknown =
    typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'SecretString') : undefined;
  return typeof value === 'string' ? value : undefined;
};
