import * as z from 'zod';
import { clockFinding } from '../../../core/crm/check/clock.ts';
import type { Call, Finding } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';
import type { Login } from './login.ts';
import { type Api, type Question, VERSION } from './request.ts';

const Account = z.looseObject({
  portalId: z.number(),
  accountType: z.string().default('unknown'),
  timeZone: z.string().default('unknown'),
});
const Usage = z.looseObject({
  results: z.array(
    z.looseObject({
      usageLimit: z.number().optional(),
      currentUsage: z.number().optional(),
      resetsAt: z.string().optional(),
    }),
  ),
});
const TokenInfo = z.looseObject({
  scopes: z.array(z.string()).default([]),
  /** The id of the account, of a private app and of one that uses OAuth. */
  hubId: z.number().optional(),
  hub_id: z.number().optional(),
});
type TokenInfo = z.infer<typeof TokenInfo>;

/** What the hub does in every account; the objects of a mapping may need more, which `describe` shows. */
const needed: readonly string[] = [
  'crm.objects.contacts.read',
  'crm.objects.contacts.write',
  'crm.schemas.contacts.read',
];

/** Above this share of the day's calls the sync may stop before the day ends. */
const MOST_USED = 0.9;

export const examine = async (api: Api, login: Login, call: Call): Promise<readonly Finding[]> => {
  const checks = [
    () => account(api, login, call),
    () => scopes(api, login, call),
    ...(login.isPrivate ? [() => usage(api, call)] : []),
  ];
  const findings: Finding[] = [
    {
      about: 'version',
      says: `The hub speaks version ${VERSION} of HubSpot's API, which HubSpot supports for eighteen months.`,
      ok: true,
    },
  ];
  for (const check of checks) findings.push(await check());
  return [...findings, ...clockFinding('HubSpot', api.lastDate(), call.now?.())];
};

/** The id of the account. Its details need a right that the token's own information does not; undefined without either. */
export const accountId = async (api: Api, login: Login, call: Call): Promise<string | undefined> => {
  const details = await unlessRefused(() => detailsOf(api, call));
  return details instanceof CrmFault ? accountOfToken(api, login, call) : String(details.portalId);
};

const accountOfToken = async (api: Api, login: Login, call: Call): Promise<string | undefined> => {
  const token = await unlessRefused(() => tokenOf(api, login, call));
  const id = token instanceof CrmFault ? undefined : (token.hubId ?? token.hub_id);
  return id === undefined ? undefined : String(id);
};

const tokenOf = (api: Api, login: Login, call: Call): Promise<TokenInfo> => {
  const question: Question = { method: 'POST', ...login.tokenInfo() };
  return api.need(question, TokenInfo, call);
};

const detailsOf = (api: Api, call: Call): Promise<z.infer<typeof Account>> =>
  api.need({ method: 'GET', path: `/account-info/${VERSION}/details` }, Account, call);

/** Resolves to the refusal where HubSpot does not allow the question; the sync may work without its answer. */
const unlessRefused = async <Value>(ask: () => Promise<Value>): Promise<Value | CrmFault> => {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof CrmFault) || error.code === 'unavailable-crm' || error.why === 'throttled')
      throw error;
    if (error.code !== 'hubspot-missing-scopes' && error.scope === 'connection') throw error;
    return error;
  }
};

/** A check that HubSpot does not allow is a remark. */
const remark = async (about: string, check: () => Promise<Finding>): Promise<Finding> => {
  const found = await unlessRefused(check);
  return found instanceof CrmFault
    ? { about, says: `HubSpot does not tell (${found.code}).`, ok: true }
    : found;
};

const account = async (api: Api, login: Login, call: Call): Promise<Finding> => {
  const details = await unlessRefused(() => detailsOf(api, call));
  if (details instanceof CrmFault) {
    const id = await accountOfToken(api, login, call);
    const says =
      id === undefined
        ? `HubSpot does not tell which account the token leads to (${details.code}). The sync goes on, but does not notice when a new secret leads to another account.`
        : `Account ${id}, as the token says; HubSpot allows no more (${details.code}).`;
    return { about: 'account', says, ok: true };
  }
  const { portalId, accountType, timeZone } = details;
  const says = `Account ${portalId}, ${accountType}. Its day of API calls ends at midnight in ${timeZone}.`;
  return { about: 'account', says, ok: true };
};

const scopes = (api: Api, login: Login, call: Call): Promise<Finding> =>
  remark('scopes', async () => {
    const given = new Set((await tokenOf(api, login, call)).scopes);
    const missing = needed.filter((scope) => !given.has(scope));
    return missing.length === 0
      ? {
          about: 'scopes',
          says: `The app has the scopes that the hub needs: ${needed.join(', ')}.`,
          ok: true,
        }
      : {
          about: 'scopes',
          says: `The app lacks ${missing.join(', ')}. Add them in HubSpot under the settings of the app; an app that uses OAuth must be installed again.`,
          ok: false,
        };
  });

const usage = (api: Api, call: Call): Promise<Finding> =>
  remark('usage', async () => {
    const path = `/account-info/${VERSION}/api-usage/daily/private-apps`;
    const { results } = await api.need({ method: 'GET', path }, Usage, call);
    const [day] = results;
    const { usageLimit: limit, currentUsage: used } = day ?? {};
    if (limit === undefined || used === undefined)
      return { about: 'usage', says: 'HubSpot does not tell how many calls are left today.', ok: true };
    const until = day?.resetsAt === undefined ? '' : ` until ${day.resetsAt}`;
    const isNearlyUsed = used >= limit * MOST_USED;
    const advice = isNearlyUsed ? ' The sync stops when none is left: look which app uses them.' : '';
    return {
      about: 'usage',
      says: `${used} of ${limit} calls are used${until}.${advice}`,
      ok: used < limit,
    };
  });
