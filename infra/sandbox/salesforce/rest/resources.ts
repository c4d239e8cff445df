import type { SandboxAnswer } from '../../protocol/server.ts';
import { identityPath } from '../oauth.ts';
import { type Call, OLDEST_VERSION } from './call.ts';

const NEWEST_VERSION = 65;

/** `/services/data` */
export const versions = (): SandboxAnswer => {
  const numbers = Array.from(
    { length: NEWEST_VERSION - OLDEST_VERSION + 1 },
    (_, index) => OLDEST_VERSION + index,
  );
  return {
    status: 200,
    body: numbers.map((number) => ({
      label: `Version ${number}`,
      url: `/services/data/v${number}.0`,
      version: `${number}.0`,
    })),
  };
};

/** `/services/data/vXX.X` */
export const resources = ({ base, service, caller }: Call): SandboxAnswer => {
  const names = ['composite', 'jobs', 'limits', 'query', 'queryAll', 'search', 'sobjects', 'tooling'];
  const links = Object.fromEntries(names.map((name) => [name, `${base}/${name}`]));
  return {
    status: 200,
    body: { ...links, identity: `${service.url}${identityPath(service.org, caller.user)}` },
  };
};

/** `/limits` */
export const limits = ({ service }: Call): SandboxAnswer => {
  const { used, allowed } = service.usage();
  const free = (Max: number) => ({ Max, Remaining: Max });
  return {
    status: 200,
    body: {
      DailyApiRequests: { Max: allowed, Remaining: Math.max(0, allowed - used) },
      DailyBulkApiBatches: free(15_000),
      DailyBulkV2QueryJobs: free(10_000),
      DataStorageMB: free(1024),
      FileStorageMB: free(1024),
    },
  };
};
