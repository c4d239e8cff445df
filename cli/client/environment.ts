import { HubError } from '../../core/errors.ts';
import type { HubConnection } from './request.ts';

/** The hub that HUB_URL and HUB_KEY name. Throws `HubError` `missing-hub-address` where one is not set. */
export const hubOfEnvironment = (): HubConnection => {
  const { HUB_URL: url, HUB_KEY: key } = process.env;
  if (url !== undefined && key !== undefined) return { url, key };
  throw new HubError(
    'missing-hub-address',
    'Set HUB_URL and HUB_KEY to the address and an API key of the hub. `npm start` prints both; for a deployed hub see docs/admin.md.',
    { retry: 'never' },
  );
};
