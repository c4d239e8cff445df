import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import * as z from 'zod';
import type { SharedToken } from '../../../core/crm/connector.ts';
import { HubError } from '../../../core/errors.ts';
import type { Table } from '../../aws/clients/dynamo.ts';
import { leaseKey } from '../../contracts/keys.ts';
import { rowReader } from '../../contracts/rows/row.ts';

export const Lease = z.object({
  version: z.int().nonnegative(),
  /** The worker that renews the token holds the lease until then, in epoch milliseconds. */
  heldUntil: z.number(),
  /** The token, readable only with the credentials that it was given for. */
  sealed: z.string().optional(),
});
type Lease = z.infer<typeof Lease>;
const leaseOf = rowReader(Lease);

/** Longer than a login may take; a worker that ends meanwhile keeps the others from it no longer. */
const HELD_MS = 30_000;
const TRY_AFTER_SECONDS = 3;

/** A CRM's token, shared by all workers and renewed by one of them at a time. */
export const lease = (crm: string, credentials: unknown, table: Table, now: () => number): SharedToken => {
  const key = leaseKey(crm);
  const secret = createHash('sha256').update(JSON.stringify(credentials)).digest();
  const read = async (): Promise<Lease> => {
    const [row] = await table.get([key]);
    return row === undefined ? { version: 0, heldUntil: 0 } : leaseOf(row);
  };
  const write = (present: Lease, next: Omit<Lease, 'version'>): Promise<boolean> =>
    table.transact([
      {
        put: { ...key, ...next, version: present.version + 1 },
        if: present.version === 0 ? { absent: true } : { version: present.version },
      },
    ]);
  return {
    async get(stale, renew) {
      const present = await read();
      const kept = present.sealed === undefined ? undefined : unseal(present.sealed, secret);
      if (kept !== undefined && kept !== stale) return kept;
      if (present.heldUntil > now() || !(await write(present, { ...present, heldUntil: now() + HELD_MS })))
        throw beingRenewed(crm);
      const held = { ...present, version: present.version + 1 };
      try {
        const token = await renew();
        await write(held, { heldUntil: 0, sealed: seal(token, secret) });
        return token;
      } catch (error) {
        await write(held, { ...present, heldUntil: 0 });
        throw error;
      }
    },
  };
};

const beingRenewed = (crm: string): HubError =>
  new HubError('crm-pause', `Another worker is renewing the token of ${crm}.`, {
    retry: { afterSeconds: TRY_AFTER_SECONDS },
  });

/** AES-256-GCM; the nonce and the tag travel in front. */
const seal = (text: string, secret: Uint8Array): string => {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', secret, nonce);
  const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
};

/** Undefined where the credentials have changed since. */
const unseal = (sealed: string, secret: Uint8Array): string | undefined => {
  const bytes = Buffer.from(sealed, 'base64');
  try {
    const decipher = createDecipheriv('aes-256-gcm', secret, bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
};
