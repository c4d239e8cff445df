import { createHash, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { readSecret } from '../aws/clients/secret.ts';
import type { Runtime } from '../contracts/runtime.ts';

const KEYS_FRESH_MS = 60_000;
const Keys = z.object({ keys: z.union([z.string().min(16), z.array(z.string().min(16))]) });

/**
 * Whether an `Authorization` header carries one of the hub's API keys. They are the secret `<hub>/api`, cached for a minute,
 * and are compared in constant time by their digests.
 */
export const apiKeys = (runtime: Runtime): ((authorization: string | undefined) => Promise<boolean>) => {
  const secret = readSecret(runtime, KEYS_FRESH_MS);
  const digest = (key: string): Buffer => createHash('sha256').update(key).digest();
  return async (authorization) => {
    const { keys } = Keys.parse(await secret(`${runtime.env['HUB']}/api`));
    const sent = digest(/^Bearer (.+)$/u.exec(authorization ?? '')?.[1] ?? '');
    return [keys].flat().filter((one) => timingSafeEqual(digest(one), sent)).length > 0;
  };
};
