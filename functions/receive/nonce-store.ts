import { HubError } from '../../core/errors.ts';
import type { Nonce } from '../../core/webhooks/channel.ts';
import { sha256Hex } from '../../core/webhooks/signature.ts';
import { isAwsRefusal } from '../aws/clients/refusal.ts';
import { signedCalls } from '../aws/clients/signed.ts';
import { nonceKey } from '../contracts/keys.ts';
import type { Runtime } from '../contracts/runtime.ts';

/** Remembers tokens in the table, each with the digest of its body, until their time is over. */
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
        `Remembering a token of ${provider} failed (${name}); the provider is told to send again.`,
        { retry: 'later', cause: error },
      );
    }
  };
};
