import * as z from 'zod';
import type { SentMessages } from '../inbox/sent-messages.ts';
import { ServiceError } from '../protocol/json.ts';
import { element, mapOf, need, type QueryOperation } from '../protocol/query.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { invalidParameter, publishedOf } from './message.ts';

const Attributes = z.record(z.string(), z.string());

/** Platform applications and their endpoints, the devices. */
export interface Push {
  readonly operations: Readonly<Record<string, QueryOperation>>;
  readonly publish: QueryOperation;
}

/** Push notifications. They are stored as sent messages. */
export const push = (context: ServiceContext, sent: SentMessages): Push => {
  const base = `arn:aws:sns:${context.region}:${context.account}:`;
  const store = endpointStore(context, base);
  return {
    operations: {
      CreatePlatformApplication(input) {
        const arn = `${base}app/${need(input, 'Platform')}/${need(input, 'Name')}`;
        store.addApplication(arn);
        return element('PlatformApplicationArn', arn);
      },
      CreatePlatformEndpoint: (input) =>
        element('EndpointArn', createEndpoint(store, base, context.newId, input)),
      SetEndpointAttributes(input) {
        const arn = need(input, 'EndpointArn');
        store.put(arn, { ...expectEndpoint(store, arn), ...mapOf(input, 'Attributes') });
        return '';
      },
      DeleteEndpoint(input) {
        store.remove(need(input, 'EndpointArn'));
        return '';
      },
    },
    publish(input) {
      const target = need(input, 'TargetArn');
      const published = publishedOf(input);
      const endpoint = store.find(target);
      if (endpoint === undefined)
        throw invalidParameter('TargetArn Reason: No endpoint found for the target arn specified');
      const { Enabled, Token = '' } = endpoint;
      if (Enabled !== 'true') throw new ServiceError('EndpointDisabled', 'Endpoint is disabled');
      const platform = target.slice(base.length).split('/')[1] ?? '';
      const payload = published.textFor(platform);
      const { title = published.subject ?? undefined, body = payload } = alertOf(payload);
      const id = context.newId();
      const tags = Object.entries(published.attributes).map(([name, { Value }]) => [name, Value]);
      sent.add(
        {
          ...{ id, at: new Date(context.clock.now()).toISOString(), medium: 'push', to: [Token], text: body },
          ...(title !== undefined && { subject: title }),
          tags: Object.fromEntries(tags),
        },
        payload,
      );
      return element('MessageId', id);
    },
  };
};

type EndpointStore = ReturnType<typeof endpointStore>;

const endpointStore = ({ db }: ServiceContext, base: string) => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS sns_applications (arn TEXT PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS sns_endpoints (arn TEXT PRIMARY KEY, application TEXT NOT NULL, token TEXT NOT NULL, attributes TEXT NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS sns_endpoints_token ON sns_endpoints (application, token);
  `);
  const application = db.prepare('SELECT 1 FROM sns_applications WHERE arn = ?');
  const addApplication = db.prepare('INSERT OR IGNORE INTO sns_applications VALUES (?)');
  const endpoint = db.prepare('SELECT attributes FROM sns_endpoints WHERE arn = ?');
  const byToken = db.prepare('SELECT arn, attributes FROM sns_endpoints WHERE application = ? AND token = ?');
  const put = db.prepare('INSERT OR REPLACE INTO sns_endpoints VALUES (?, ?, ?, ?)');
  const remove = db.prepare('DELETE FROM sns_endpoints WHERE arn = ?');
  const attributesIn = (text: unknown): Record<string, string> => Attributes.parse(JSON.parse(String(text)));
  return {
    hasApplication: (arn: string): boolean => application.get(arn) !== undefined,
    addApplication: (arn: string): void => void addApplication.run(arn),
    /** The attributes of an endpoint. */
    find(arn: string): Record<string, string> | undefined {
      const row = endpoint.get(arn);
      return row && attributesIn(row['attributes']);
    },
    findByToken(app: string, token: string) {
      const row = byToken.get(app, token);
      return row && { arn: String(row['arn']), attributes: attributesIn(row['attributes']) };
    },
    put(arn: string, attributes: Readonly<Record<string, string>>): void {
      const [, platform = '', name = ''] = arn.slice(base.length).split('/');
      put.run(arn, `${base}app/${platform}/${name}`, attributes['Token'] ?? '', JSON.stringify(attributes));
    },
    remove: (arn: string): void => void remove.run(arn),
  };
};

const expectEndpoint = (store: EndpointStore, arn: string): Record<string, string> => {
  const attributes = store.find(arn);
  if (attributes === undefined) throw new ServiceError('NotFound', 'Endpoint does not exist', 404);
  return attributes;
};

/** Registers a device and returns its ARN; a registered device keeps its ARN. */
const createEndpoint = (
  store: EndpointStore,
  base: string,
  newId: () => string,
  input: URLSearchParams,
): string => {
  const application = need(input, 'PlatformApplicationArn');
  if (!store.hasApplication(application))
    throw new ServiceError('NotFound', 'PlatformApplication does not exist', 404);
  const userData = input.get('CustomUserData');
  const attributes: Record<string, string> = {
    Enabled: 'true',
    Token: need(input, 'Token'),
    ...(userData !== null && { CustomUserData: userData }),
    ...mapOf(input, 'Attributes'),
  };
  const present = store.findByToken(application, attributes['Token'] ?? '');
  if (present === undefined) {
    const arn = `${base}endpoint/${application.slice(`${base}app/`.length)}/${newId()}`;
    store.put(arn, attributes);
    return arn;
  }
  if (['Enabled', 'CustomUserData'].some((name) => present.attributes[name] !== attributes[name]))
    throw invalidParameter(
      `Token Reason: Endpoint ${present.arn} already exists with the same Token, but different attributes.`,
    );
  return present.arn;
};

const Alert = z.object({ title: z.string().optional(), body: z.string().optional() });
const Payload = z.union([
  z.looseObject({ aps: z.looseObject({ alert: Alert }) }).transform(({ aps }) => aps.alert),
  z
    .looseObject({ aps: z.looseObject({ alert: z.string() }) })
    .transform(({ aps }) => ({ title: undefined, body: aps.alert })),
  z.looseObject({ notification: Alert }).transform(({ notification }) => notification),
  z
    .looseObject({
      fcmV1Message: z.looseObject({ message: z.looseObject({ notification: Alert }) }),
    })
    .transform(({ fcmV1Message }) => fcmV1Message.message.notification),
]);

/** The title and body that a device displays for a payload of APNs or FCM; nothing for plain text. */
const alertOf = (payload: string): z.infer<typeof Alert> => {
  try {
    return Payload.catch({}).parse(JSON.parse(payload));
  } catch {
    return {};
  }
};
