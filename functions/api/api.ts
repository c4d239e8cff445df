import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { Notifications } from '../aws/triggers/notifications.ts';
import type { Guests } from '../contracts/ports/guests.ts';
import { problem } from '../middleware/http.ts';
import { type ChannelPorts, channelRoutes } from './routes/channels.ts';
import { type CommandPorts, commandRoutes } from './routes/commands.ts';
import {
  type ConnectionPorts,
  connectionRoutes,
  type PreviewPorts,
  previewRoutes,
} from './routes/connections.ts';
import { type AttachmentPorts, attachmentRoutes } from './routes/customers/attachments.ts';
import { type ConsentPorts, consentRoutes } from './routes/customers/consent.ts';
import { type CustomerPorts, customerRoutes } from './routes/customers/customers.ts';
import { type MergePorts, mergeRoutes } from './routes/customers/merges.ts';
import { type TimelinePorts, timelineRoutes } from './routes/customers/timeline.ts';
import { type ErasurePorts, erasureRoutes, receiptKeySet } from './routes/erasures.ts';
import { type EventPorts, reportEvents } from './routes/events.ts';
import { type FailurePorts, failureRoutes } from './routes/failures.ts';
import { type FiguresPorts, figuresRoutes } from './routes/figures.ts';
import { type JobPorts, jobRoutes } from './routes/jobs.ts';
import { type ReviewPorts, reviewRoutes } from './routes/reviews.ts';
import { type Answer, json, type Routes } from './routes/route.ts';
import { type TemplatePorts, templateRoutes } from './routes/templates.ts';
import { type NotificationPorts, notificationRoutes } from './routes/triggers/notifications.ts';
import { type ReportPorts, reportRoutes } from './routes/triggers/report.ts';
import { type TestPorts, testRoutes } from './routes/triggers/test.ts';
import { type TriggerPorts, triggerRoutes } from './routes/triggers/triggers.ts';

export interface ApiPorts
  extends AttachmentPorts,
    ChannelPorts,
    CommandPorts,
    ConnectionPorts,
    ConsentPorts,
    CustomerPorts,
    ErasurePorts,
    EventPorts,
    FailurePorts,
    FiguresPorts,
    JobPorts,
    MergePorts,
    NotificationPorts,
    PreviewPorts,
    ReportPorts,
    ReviewPorts,
    TemplatePorts,
    TestPorts,
    TimelinePorts,
    TriggerPorts {
  readonly guests: Pick<Guests, 'guestsOf' | 'ownerFor'>;
  readonly notifications: Pick<Notifications, 'get' | 'ofCustomer'>;
  /** Whether an `Authorization` header carries one of the hub's API keys. */
  readonly isAuthorized: (authorization: string | undefined) => Promise<boolean>;
}

/** Every route that needs an API key, for the console, the CLI and customers' own programs. */
const routes: Routes<ApiPorts> = {
  ...attachmentRoutes,
  ...channelRoutes,
  ...commandRoutes,
  ...connectionRoutes,
  ...consentRoutes,
  ...customerRoutes,
  ...erasureRoutes,
  ...failureRoutes,
  ...figuresRoutes,
  ...jobRoutes,
  ...mergeRoutes,
  ...notificationRoutes,
  ...previewRoutes,
  ...reportRoutes,
  ...reviewRoutes,
  ...templateRoutes,
  ...testRoutes,
  ...timelineRoutes,
  ...triggerRoutes,
  'POST /events': reportEvents,
};

export const api =
  (ports: ApiPorts) =>
  async (event: APIGatewayProxyEventV2): Promise<Answer> => {
    if (event.routeKey === 'GET /health') return json(200, { status: 'ok' });
    if (event.routeKey === 'GET /erasures/keys') return receiptKeySet(ports.receiptKeys);
    const route = routes[event.routeKey];
    if (route === undefined) return problem(404, 'unknown-route', 'The API has no such route.');
    if (!(await ports.isAuthorized(event.headers['authorization'])))
      return problem(401, 'invalid-api-key', 'Send an API key of this hub: Authorization: Bearer <key>.');
    return route(event, ports);
  };
