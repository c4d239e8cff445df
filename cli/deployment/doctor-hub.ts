import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { HubError } from '../../core/errors.ts';
import { hubAddress } from '../client/environment.ts';
import type { HubConnection } from '../client/request.ts';
import { readCrmSecret } from '../crm/secret.ts';

/** `unknown`: the check itself failed, usually because the caller lacks the permission, or nothing has happened yet. */
export interface Finding {
  readonly state: 'ok' | 'wrong' | 'unknown';
  readonly subject: string;
  readonly detail: string;
}

/**
 * What the API of a hub says about some subjects; where it cannot be asked, each is `unknown`. HUB_URL is its address, and
 * the key is HUB_KEY or that in the secret of the account.
 */
export const askHub = async (
  client: SecretsManagerClient,
  hub: string,
  subjects: readonly string[],
  ask: (connection: HubConnection) => Promise<Finding[]>,
): Promise<Finding[]> => {
  const unknown = (detail: string): Finding[] =>
    subjects.map((subject) => ({ state: 'unknown', subject, detail }));
  const { HUB_URL: url, HUB_KEY } = process.env;
  if (url === undefined || url === '') return unknown('set HUB_URL to the address of the hub to see it');
  try {
    const address = hubAddress(url);
    const key = HUB_KEY ?? (await readCrmSecret(client, `${hub}/api`))?.['keys'] ?? '';
    return await ask({ url: address, key });
  } catch (error) {
    return unknown(error instanceof HubError ? error.message : `${url} did not answer`);
  }
};
