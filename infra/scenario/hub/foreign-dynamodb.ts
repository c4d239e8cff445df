import { createHash } from 'node:crypto';
import { REGION } from '../../local/runtime/account.ts';
import type { ExternalEndpoints } from '../../local/runtime/external-endpoints.ts';
import type { Assembly } from '../../stack/assembly.ts';

/** An endpoint that answers DynamoDB's requests in place of the local DynamoDB. */
const VARIABLE = 'FOREIGN_DYNAMODB';

/**
 * The DynamoDB at the address in `FOREIGN_DYNAMODB`; undefined where the variable is not set. DynamoDB Local keeps the data
 * of each access key apart, so every hub has a key of its own: the same one for the same `name`, a new one without.
 */
export const foreignDynamodb = (
  env: Readonly<Record<string, string | undefined>>,
  name: string = crypto.randomUUID(),
): ExternalEndpoints | undefined => {
  const url = env[VARIABLE];
  if (!url) return undefined;
  const accessKeyId = createHash('sha256').update(name).digest('hex').slice(0, 20).toUpperCase();
  return {
    endpoints: { dynamodb: url },
    region: REGION,
    credentials: async () => ({ accessKeyId, secretAccessKey: 'local' }),
  };
};

/** A template whose tables keep expired rows: a foreign DynamoDB has the machine's clock, by which a story of last year has expired. */
export const withoutExpiry = (assembly: Assembly): Assembly => {
  const template = structuredClone(assembly.template);
  for (const { Type, Properties } of Object.values(template.Resources))
    if (Type === 'AWS::DynamoDB::Table') delete Properties['TimeToLiveSpecification'];
  return { ...assembly, template };
};
