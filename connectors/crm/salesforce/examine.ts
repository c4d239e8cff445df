import * as z from 'zod';
import { clockFinding } from '../../../core/crm/check/clock.ts';
import type { Call, Finding } from '../../../core/crm/connector.ts';
import { faultOfAnswer } from './rest/faults.ts';
import { VERSION } from './rest/http.ts';
import type { Client } from './rest/session.ts';

const UserInfo = z.looseObject({
  preferred_username: z.string().optional(),
  organization_id: z.string().optional(),
});
const Versions = z.array(z.looseObject({ version: z.string() }));
const Limit = z.looseObject({ Max: z.number(), Remaining: z.number() });
const Limits = z.looseObject({ DailyApiRequests: Limit, DataStorageMB: Limit.optional() });

/** A share of the allocation below which a backfill would stop the org's other applications. */
const SCARCE = 0.2;

/** Reads who the hub is, which versions the org has, what is left of its allocations, and its clock; three requests. */
export const examine = async (client: Client, call: Call): Promise<readonly Finding[]> => {
  const get = async (path: string) => {
    const answer = await client.request({ method: 'GET', path }, call);
    return { ...answer, fault: faultOfAnswer(answer) };
  };
  const user = await get('/services/oauth2/userinfo');
  const versions = await get('/services/data');
  const limits = await get('/limits');
  return [
    userFinding(UserInfo.safeParse(user.body).data),
    versionFinding(Versions.safeParse(versions.body).data),
    ...(limits.fault === undefined
      ? limitFindings(Limits.safeParse(limits.body).data)
      : [{ about: 'API requests', says: limits.fault.message, ok: false }]),
    ...clockFinding('Salesforce', limits.headers['date'], call.now?.()),
  ];
};

const userFinding = (user: z.infer<typeof UserInfo> | undefined): Finding =>
  user?.preferred_username === undefined
    ? {
        about: 'user',
        says: 'Salesforce does not tell who the hub is. Add the scope openid to the connected app to see it here.',
        ok: true,
      }
    : {
        about: 'user',
        says: `The hub is ${user.preferred_username} in the org ${user.organization_id ?? ''}.`,
        ok: true,
      };

const versionFinding = (versions: z.infer<typeof Versions> | undefined): Finding => {
  const newest = Math.max(0, ...(versions ?? []).map(({ version }) => Number(version)));
  return newest >= Number(VERSION)
    ? {
        about: 'version',
        says: `The hub uses version ${VERSION} of the API; the org has up to ${newest}.0.`,
        ok: true,
      }
    : {
        about: 'version',
        says: `The org does not have version ${VERSION} of the API. Check that loginUrl is one of Salesforce.`,
        ok: false,
      };
};

const limitFindings = (limits: z.infer<typeof Limits> | undefined): Finding[] => {
  if (limits === undefined)
    return [
      {
        about: 'API requests',
        says: "Salesforce does not show its limits. Give the integration user 'View Setup and Configuration' to see them here.",
        ok: true,
      },
    ];
  const { DailyApiRequests: requests, DataStorageMB: storage } = limits;
  const isScarce = requests.Remaining < requests.Max * SCARCE;
  const left = `${requests.Remaining} of ${requests.Max} API requests of 24 hours are left.`;
  return [
    {
      about: 'API requests',
      says: isScarce ? `${left} Find out what uses them (Setup, Company Information), or buy more.` : left,
      ok: requests.Remaining > 0,
    },
    ...(storage !== undefined && storage.Remaining <= 0
      ? [{ about: 'storage', says: 'The data storage of the org is full. Free or buy storage.', ok: false }]
      : []),
  ];
};
