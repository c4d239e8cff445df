import type { Limits } from '../access/limits.ts';
import { objectType } from '../account/object-types.ts';
import { notFound } from '../errors.ts';
import { type Call, json, type Route, route } from './call.ts';

const CREATED = '2024-01-01T00:00:00.000Z';
const stamps = { createdAt: CREATED, updatedAt: CREATED, archived: false };

const PIPELINES: Readonly<Record<string, { id: string; label: string; stages: readonly string[] }>> = {
  tickets: {
    id: '0',
    label: 'Support Pipeline',
    stages: ['New', 'Waiting on contact', 'Waiting on us', 'Closed'],
  },
};

const pipelineOf = (object: string) => {
  const pipeline = PIPELINES[objectType(object).name];
  if (!pipeline) return undefined;
  const { id, label, stages } = pipeline;
  return {
    id,
    label,
    displayOrder: 0,
    ...stamps,
    stages: stages.map((stage, index) => ({
      id: String(index + 1),
      label: stage,
      displayOrder: index,
      metadata: {
        isClosed: String(index === stages.length - 1),
        ticketState: index === stages.length - 1 ? 'CLOSED' : 'OPEN',
      },
      writePermissions: 'CRM_PERMISSIONS_ENFORCEMENT',
      ...stamps,
    })),
  };
};

const owner = {
  id: '50261',
  email: 'admin@example.com',
  firstName: 'Ada',
  lastName: 'Admin',
  userId: 50_261,
  type: 'PERSON',
  ...stamps,
};

const schema = (call: Call) => {
  const type = call.type();
  return {
    id: type.id,
    objectTypeId: type.id,
    name: type.singular.toUpperCase(),
    fullyQualifiedName: type.singular.toUpperCase(),
    labels: { singular: type.singular, plural: type.name },
    requiredProperties: type.required,
    searchableProperties: [],
    primaryDisplayProperty: type.defaults[0],
    properties: call.account.properties.list(type),
    associations: [],
    ...stamps,
  };
};

/** The account itself, as far as a client asks about it. */
export const settingsRoutes = (limits: Limits): readonly Route[] => [
  route('none', 'GET', '/account-info/v3/details', ({ account }) =>
    json(200, {
      portalId: account.portalId,
      accountType: 'DEVELOPER_TEST',
      timeZone: 'UTC',
      companyCurrency: 'EUR',
      additionalCurrencies: [],
      utcOffset: '+00:00',
      utcOffsetMilliseconds: 0,
      uiDomain: 'app.hubspot.com',
      dataHostingLocation: 'na1',
    }),
  ),
  route('none', 'GET', '/account-info/v3/api-usage/daily/private-apps', ({ account }) =>
    json(200, {
      results: [
        {
          name: 'private-apps-api-calls-daily',
          usageLimit: limits.daily,
          currentUsage: limits.today,
          collectedAt: new Date(account.now()).toISOString(),
          fetchStatus: 'SUCCESS',
          resetsAt: new Date((Math.floor(account.now() / 86_400_000) + 1) * 86_400_000).toISOString(),
        },
      ],
    }),
  ),
  route('none', 'GET', '/crm/v3/owners', () => json(200, { results: [owner] })),
  route('none', 'GET', '/crm/v3/owners/:id', (call) => {
    if (call.param('id') !== owner.id) throw notFound();
    return json(200, owner);
  }),
  route('none', 'GET', '/crm/v3/pipelines/:object', (call) => {
    const pipeline = pipelineOf(call.param('object'));
    return json(200, { results: pipeline ? [pipeline] : [] });
  }),
  route('none', 'GET', '/crm/v3/pipelines/:object/:id', (call) => {
    const pipeline = pipelineOf(call.param('object'));
    if (pipeline?.id !== call.param('id')) throw notFound();
    return json(200, pipeline);
  }),
  // Custom objects, of which the sandbox has none.
  route('none', 'GET', '/crm/v3/schemas', () => json(200, { results: [] })),
  route('none', 'GET', '/crm/v3/schemas/:object', (call) => json(200, schema(call))),
];
