import type { Once } from '../../core/channel.ts';
import { HubError } from '../../core/errors.ts';
import { sha256Hex } from '../../core/signature.ts';
import type { Runtime } from '../runtime.ts';
import { signedCalls } from './signed.ts';

/** Remembers tokens in the table, each with the digest of its body, until their time is over. */
export const onces = (
  runtime: Runtime,
): ((provider: string, once: Once, body: Uint8Array) => Promise<boolean>) => {
  const call = signedCalls(runtime);
  return async (provider, { token, seconds }, body) => {
    const digest = { S: sha256Hex(body) };
    const response = await call('dynamodb', {
      target: 'DynamoDB_20120810.PutItem',
      body: JSON.stringify({
        TableName: runtime.env['TABLE'],
        Item: {
          pk: { S: `once#${provider}#${sha256Hex(token)}` },
          sk: { S: 'once' },
          digest,
          expiresAt: { N: String(Math.ceil(runtime.now() / 1000) + seconds) },
        },
        ConditionExpression: 'attribute_not_exists(pk) OR #digest = :digest',
        ExpressionAttributeNames: { '#digest': 'digest' },
        ExpressionAttributeValues: { ':digest': digest },
      }),
    });
    const answer = await response.text();
    if (response.ok) return true;
    if (answer.includes('ConditionalCheckFailedException')) return false;
    throw new HubError(
      'token-not-kept',
      `Remembering a token of ${provider} failed with status ${response.status}; the provider is told to send again.`,
      { retry: 'later' },
    );
  };
};
