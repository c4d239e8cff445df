import * as z from 'zod';
import { CrmFault } from '../../../../core/crm/fault.ts';
import { memberOf } from '../../../../core/formats/payload.ts';

const text = z.string().trim().min(1);

/** A token or a password is never sent in clear, except to a sandbox on this machine. */
const isSafe = (url: string): boolean => {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && hostname === '127.0.0.1');
};

const instanceUrl = z
  .string()
  .refine(isSafe)
  .transform((url) => new URL(url).origin);

const ClientCredentials = z
  .object({ instanceUrl, clientId: text, clientSecret: text })
  .transform((one) => ({ kind: 'client-credentials' as const, ...one }));
const Basic = z
  .object({ instanceUrl, username: text, password: z.string().min(1) })
  .transform((one) => ({ kind: 'basic' as const, ...one }));

export type Credentials = z.infer<typeof ClientCredentials> | z.infer<typeof Basic>;

const has = (raw: unknown, name: string): boolean => memberOf(raw, name) !== undefined;

/** The kind of login follows from the keys of the secret. Throws a `CrmFault` that names the keys which are wrong. */
export const credentialsOf = (raw: unknown): Credentials => {
  const schema = has(raw, 'username') || has(raw, 'password') ? Basic : ClientCredentials;
  const parsed = schema.safeParse(raw ?? {});
  if (parsed.success) return parsed.data;
  const keys = [...new Set(parsed.error.issues.map(({ path }) => path.join('.') || 'the whole value'))];
  throw new CrmFault(
    'servicenow-secret',
    `The secret of ServiceNow is not complete: ${keys.join(', ')} missing or malformed. It needs instanceUrl (https://acme.service-now.com), and either clientId and clientSecret (client credentials), or username and password.`,
    { scope: 'connection', why: 'setup' },
  );
};
