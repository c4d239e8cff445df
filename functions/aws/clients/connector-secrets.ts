import { HubError } from '../../../core/errors.ts';
import type { RouteSecrets } from '../../contracts/ports/secrets.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { isAwsRefusal } from './refusal.ts';
import { signedCalls } from './signed.ts';

const FRESH_MS = 300_000;

/** A route's secrets from Secrets Manager, `<hub>/channels/<provider>[/<account>]`, kept for five minutes. */
export const secrets = (
  runtime: Runtime,
): ((provider: string, account: string | undefined, anew: boolean) => Promise<RouteSecrets | undefined>) => {
  const aws = signedCalls(runtime);
  const known = new Map<string, { readonly until: number; readonly value: RouteSecrets | undefined }>();
  return async (provider, account, anew) => {
    const id = `${runtime.env['HUB']}/channels/${provider}${account === undefined ? '' : `/${account}`}`;
    const cached = known.get(id);
    if (cached && !anew && cached.until > runtime.now()) return cached.value;
    const value = await aws
      .json('secretsmanager', 'GetSecretValue', { SecretId: id })
      .then((answer) => valuesOf(id, textOf(answer)), missing(id));
    known.set(id, { until: runtime.now() + FRESH_MS, value });
    return value;
  };
};

const missing =
  (id: string) =>
  (error: unknown): undefined => {
    if (isAwsRefusal(error, 'ResourceNotFoundException')) return undefined;
    const name = error instanceof Error ? error.name : 'unknown error';
    throw new HubError('unreadable-secret', `Secrets Manager did not give ${id} (${name}).`, {
      retry: 'later',
      cause: error,
    });
  };

/** This function carries no schema library, so its one small shape is checked by hand. */
const valuesOf = (id: string, text: string | undefined): RouteSecrets => {
  const parsed: unknown = JSON.parse(text ?? '{}');
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new HubError(
      'unreadable-secret',
      `The secret ${id} must hold a JSON object that names each secret value. Store it anew in Secrets Manager.`,
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
