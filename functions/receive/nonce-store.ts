import { HubError } from '../../core/errors.ts';
import type { Nonce } from '../../core/webhooks/channel.ts';
import { sha256Hex } from '../../core/webhooks/signature.ts';
import { isAwsRefusal } from '../aws/clients/refusal.ts';
import { signedCalls } from '../aws/clients/signed.ts';
import { nonceKey } from '../contracts/keys.ts';
import type { Runtime } from '../contracts/runtime.ts';

/**
 * Stores each nonce with the digest of its body until it expires. Resolves to false where the nonce was stored with another
 * body before. Throws `HubError` `nonce-failure` (later).
 */
export const nonceStore = (
  runtime: Runtime,
): ((provider: string, once: Nonce, body: Uint8Array) => Promise<boolean>) => {
  const aws = signedCalls(runtime);
  return async (provider, { token, seconds }, body) => {
    const { pk, sk } = nonceKey(provider, sha256Hex(token));
    const digest = { S: sha256Hex(body) };
    try {
      await aws.json('dynamodb', 'PutItem', {
        TableName: runtime.env['TABLE'],
        Item: {
          pk: { S: pk },
          sk: { S: sk },
          digest,
          expiresAt: { N: String(Math.ceil(runtime.now() / 1000) + seconds) },
        },
        ConditionExpression: 'attribute_not_exists(pk) OR #digest = :digest',
        ExpressionAttributeNames: { '#digest': 'digest' },
        ExpressionAttributeValues: { ':digest': digest },
      });
      return true;
    } catch (error) {
      if (isAwsRefusal(error, 'ConditionalCheckFailedException')) return false;
      const name = error instanceof Error ? error.name : 'unknown error';
      throw new HubError(
        'nonce-failure',
        `The nonce of a webhook of ${provider} could not be stored (${name}). The answer asks the provider to send it again.`,
        { retry: 'later', cause: error },
      );
    }
  };
};
