import * as z from 'zod';
import { CrmFault } from '../../../../core/crm/fault.ts';
import { memberOf } from '../../../../core/formats/payload.ts';

const text = z.string().trim().min(1);
const common = {
  loginUrl: z.url().transform((url) => url.replace(/(?<!\/)\/+$/u, '')),
  clientId: text,
  /** `save`: records that a duplicate rule of the org only warns about are saved. */
  duplicateRules: z.enum(['respect', 'save']).default('respect'),
};

const ClientCredentials = z
  .object({ ...common, clientSecret: text })
  .transform((one) => ({ kind: 'client-credentials' as const, ...one }));
/** A secret store that keeps one line writes the line breaks of the key as `\n`. */
const JwtBearer = z
  .object({ ...common, username: text, privateKey: text.transform((pem) => pem.replaceAll('\\n', '\n')) })
  .transform((one) => ({ kind: 'jwt-bearer' as const, ...one }));
const RefreshToken = z
  .object({ ...common, clientSecret: text.optional(), refreshToken: text })
  .transform((one) => ({ kind: 'refresh-token' as const, ...one }));

export type Credentials =
  | z.infer<typeof ClientCredentials>
  | z.infer<typeof JwtBearer>
  | z.infer<typeof RefreshToken>;

const has = (raw: unknown, name: string): boolean => memberOf(raw, name) !== undefined;

/** The kind of login follows from the keys of the secret. Throws a `CrmFault` that names the keys which are wrong. */
export const credentialsOf = (raw: unknown): Credentials => {
  const schema = has(raw, 'refreshToken')
    ? RefreshToken
    : has(raw, 'privateKey') || has(raw, 'username')
      ? JwtBearer
      : ClientCredentials;
  const parsed = schema.safeParse(raw ?? {});
  if (parsed.success) return parsed.data;
  const keys = [...new Set(parsed.error.issues.map(({ path }) => path.join('.') || 'the whole value'))];
  throw wrongSecret(keys);
};

export const wrongSecret = (keys: readonly string[], cause?: unknown): CrmFault =>
  new CrmFault(
    'salesforce-secret',
    `The secret of Salesforce is not complete: ${keys.join(', ')} missing or malformed. It needs loginUrl and clientId, and either clientSecret (client credentials), username and privateKey (JWT bearer), or refreshToken.`,
    { scope: 'connection', why: 'setup', cause },
  );
