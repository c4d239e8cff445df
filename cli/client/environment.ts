import { HubError } from '../../core/errors.ts';
import type { HubConnection } from './request.ts';

/** The hub that HUB_URL and HUB_KEY name. Throws `HubError` `missing-hub-address` where one is not set or no address. */
export const hubOfEnvironment = (): HubConnection => {
  const { HUB_URL: url = '', HUB_KEY: key = '' } = process.env;
  if (url !== '' && key !== '') return { url: hubAddress(url), key };
  throw new HubError(
    'missing-hub-address',
    'Set HUB_URL and HUB_KEY to the address and an API key of the hub. `npm start` prints both; for a deployed hub see docs/admin.md.',
    { retry: 'never' },
  );
};

/** Throws `HubError` `missing-hub-address` where HUB_URL is no address. */
export const hubAddress = (url: string): string => {
  if (/^https?:$/u.test(URL.parse(url)?.protocol ?? '')) return url;
  throw new HubError(
    'missing-hub-address',
    `HUB_URL is ${JSON.stringify(url)}. Set it to the whole address of the hub, such as http://127.0.0.1:4700.`,
    { retry: 'never' },
  );
};
