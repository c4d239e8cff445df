import * as z from 'zod';
import { httpConnector } from '../../connectors/crm/http/index.ts';
import type { HttpSection } from '../../core/crm/mapping/http.ts';
import { CrmMapping } from '../../core/crm/mapping/mapping.ts';
import { HubError } from '../../core/errors.ts';
import { tolerant } from '../../core/formats/tolerant.ts';
import { table } from '../aws/clients/dynamo.ts';
import { config } from '../aws/operations/configuration.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { crmTitle } from '../contracts/stages/sync.ts';
import { lambda } from '../middleware/lambda.ts';
import { syncWith } from './handler.ts';

const Environment = z.object({ CRM: z.string(), AWS_ENDPOINT_URL: z.string().optional() });

/** The function of a CRM without a connector of its own: its environment names the CRM, the mapping of which says the rest. */
export const create = (runtime: Runtime): ReturnType<ReturnType<typeof syncWith>> => {
  const { CRM: crm, AWS_ENDPOINT_URL: localAws } = Environment.parse(runtime.env);
  const { crmMapping } = config(runtime, table(runtime));
  let known: { readonly raw: unknown; readonly http: HttpSection } | undefined;
  const connector = httpConnector({
    ...{ crm, title: crmTitle(crm) },
    async section() {
      const raw = await crmMapping(crm);
      if (known === undefined || known.raw !== raw) known = { raw, http: sectionOf(crm, raw) };
      return known.http;
    },
    world: {
      fetch: runtime.fetch ?? fetch,
      now: runtime.now,
      isLocal: localAws !== undefined || runtime.aws !== undefined,
    },
  });
  return syncWith(connector)(runtime);
};

const sectionOf = (crm: string, raw: unknown): HttpSection => {
  const { http } = tolerant(CrmMapping).parse(raw);
  if (http !== undefined) return http;
  throw new HubError(
    'invalid-configuration',
    `mappings/crm/${crm}.yaml has no section http, which a CRM with \`connector: http\` needs.`,
    {
      retry: 'later',
    },
  );
};

export const handler = lambda(create);
