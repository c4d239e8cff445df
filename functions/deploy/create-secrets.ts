import { randomBytes } from 'node:crypto';
import type { HubSecret } from '../../core/config/hub-secret.ts';
import { isAwsRefusal } from '../aws/clients/refusal.ts';
import { signedCalls } from '../aws/clients/signed.ts';
import type { Runtime } from '../contracts/runtime.ts';

const KEY_BYTES = 30;
const newKey = (): string => randomBytes(KEY_BYTES).toString('base64url');

/**
 * Creates the secrets that do not exist. One that exists is kept with its value, whoever made it; one that waits for its
 * deletion is restored. So a switch that is turned off and on, `hub connect` before the first deployment and a second
 * deployment after a deleted one find their secrets. Rejects with `AwsRefusal`.
 */
export const createMissingSecrets = async (
  runtime: Pick<Runtime, 'env' | 'newId' | 'aws' | 'random' | 'sleep'>,
  hub: string,
  secrets: readonly HubSecret[],
): Promise<void> => {
  const aws = signedCalls(runtime);
  for (const { name, description, value } of secrets) {
    const Name = `${hub}/${name}`;
    try {
      await aws.json('secretsmanager', 'CreateSecret', {
        ...{ Name, Description: description, ClientRequestToken: runtime.newId() },
        SecretString: JSON.stringify(value === 'generated' ? { keys: newKey() } : {}),
      });
    } catch (error) {
      if (isAwsRefusal(error, 'ResourceExistsException')) continue;
      // The answer about a secret that waits for its deletion.
      if (!isAwsRefusal(error, 'InvalidRequestException')) throw error;
      await aws.json('secretsmanager', 'RestoreSecret', { SecretId: Name });
    }
  }
};
