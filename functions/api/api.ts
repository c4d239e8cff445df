import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod';
import type { CommandOutcome } from '../aws/operations/command-outcomes.ts';
import { CommandMessage } from '../contracts/messages/record.ts';
import { problem } from '../middleware/http.ts';
import type { Download } from './routes/attachments.ts';
import { type ConsentPorts, consentRoutes } from './routes/consent.ts';
import { type CustomerPorts, customerRoutes } from './routes/customers.ts';
import { type ErasurePorts, erasureRoutes, receiptKeySet } from './routes/erasures.ts';
import { type EventPorts, reportEvents } from './routes/events.ts';
import { type FailurePorts, failureRoutes } from './routes/failures.ts';
import { type FiguresPorts, figuresRoutes } from './routes/figures.ts';
import { type JobPorts, jobRoutes } from './routes/jobs.ts';
import { json, parsed, type Routes, unknownCustomer } from './routes/route.ts';
import { type TimelinePorts, timelineOf } from './routes/timeline.ts';

export interface ApiPorts
  extends CustomerPorts,
    ConsentPorts,
    ErasurePorts,
    FiguresPorts,
    TimelinePorts,
    FailurePorts,
    JobPorts,
    EventPorts {
  readonly reviews: () => Promise<readonly Readonly<Record<string, unknown>>[]>;
  readonly enqueue: (command: CommandMessage) => Promise<void>;
  readonly outcome: (command: string) => Promise<CommandOutcome>;
  /** Whether the request carries one of the hub's API keys. */
  readonly allowed: (authorization: string | undefined) => Promise<boolean>;
  readonly download: (key: string, name: string) => Promise<Download | undefined>;
}

/** A command of tomorrow would outlast every answer that is given until then. */
const CLOCKS_DIFFER_MS = 60_000;

/** What the console, the CLI and a customer's own programs may ask, by API Gateway's route keys. */
export const routes: Routes<ApiPorts> = {
  ...customerRoutes,
  ...consentRoutes,
  ...erasureRoutes,
  ...figuresRoutes,
  ...failureRoutes,
  ...jobRoutes,
  'GET /customers/{id}/timeline': timelineOf,
  'GET /customers/{id}/ledger': async (event, ports) => {
    const customer = await ports.history.customer(event.pathParameters?.['id'] ?? '');
    return customer ? json(200, { items: await ports.history.ledger(customer) }) : unknownCustomer();
  },
  'GET /customers/{id}/interactions/{interaction}/attachments/{n}': async (event, ports) => {
    const { id = '', interaction = '', n = '' } = event.pathParameters ?? {};
    const [customer, found] = await Promise.all([ports.history.customer(id), ports.interaction(interaction)]);
    const theirs = customer?.sourceProfiles.some(({ profile }) => profile.id === found?.profileId) === true;
    const file = theirs ? found?.attachments?.[Number(n)] : undefined;
    if (file === undefined)
      return problem(404, 'unknown-attachment', 'This customer has no such interaction, or it no such file.');
    const { key, name, url } = file;
    if (key === undefined)
      return url === undefined
        ? problem(404, 'unavailable-file', 'The file is only at the provider, which gives no address of it.')
        : json(200, { url });
    const download = await ports.download(key, name ?? `attachment-${n}`);
    return download === undefined
      ? problem(
          404,
          'unavailable-file',
          'The file has not come from the provider. The failures say whether it will.',
        )
      : json(200, download);
  },
  'POST /events': reportEvents,
  'GET /reviews': async (_event, ports) => json(200, { items: await ports.reviews() }),
  'POST /commands': async (event, ports) => {
    const body = parsed(event);
    if (typeof body !== 'object' || body === null)
      return problem(400, 'invalid-json', 'The body must be a JSON object.');
    const command = CommandMessage.safeParse({
      by: 'api',
      id: ports.newId(),
      at: new Date(ports.now()).toISOString(),
      ...body,
      type: 'command',
    });
    if (!command.success) return problem(400, 'invalid-command', z.prettifyError(command.error));
    if (Date.parse(command.data.at) > ports.now() + CLOCKS_DIFFER_MS)
      return problem(
        400,
        'future-time',
        '`at` lies in the future. Give the time at which it was decided, or leave it out.',
      );
    await ports.enqueue(command.data);
    return json(202, { id: command.data.id });
  },
  'GET /commands/{id}': async (event, ports) => {
    const id = event.pathParameters?.['id'] ?? '';
    return json(200, { id, ...(await ports.outcome(id)) });
  },
};

export const api =
  (ports: ApiPorts) =>
  async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
    if (event.routeKey === 'GET /health') return json(200, { status: 'ok' });
    if (event.routeKey === 'GET /erasures/keys') return receiptKeySet(ports.receiptKeys);
    const route = routes[event.routeKey];
    if (route === undefined) return problem(404, 'unknown-route', 'There is no such page.');
    if (!(await ports.allowed(event.headers['authorization']))) {
      return problem(401, 'invalid-api-key', 'Send an API key of this hub: Authorization: Bearer <key>.');
    }
    return route(event, ports);
  };
