import * as z from 'zod';
import type { SentMessages } from '../inbox/sent-messages.ts';
import { ServiceError } from '../protocol/json.ts';
import { element, mapOf, mapXml, members, need, type QueryOperation } from '../protocol/query.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { invalidParameter, publishedOf } from './message.ts';

const Attributes = z.record(z.string(), z.string());

/** Platform applications and the devices registered with them. */
export interface Push {
  readonly operations: Readonly<Record<string, QueryOperation>>;
  readonly publish: QueryOperation;
}

/** Push on one machine: what would go to a device lands in the outbox. */
export const push = ({ db, clock, newId, region, account }: ServiceContext, sent: SentMessages): Push => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS sns_applications (arn TEXT PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS sns_endpoints (arn TEXT PRIMARY KEY, application TEXT NOT NULL, token TEXT NOT NULL, attributes TEXT NOT NULL) STRICT;
    CREATE INDEX IF NOT EXISTS sns_endpoints_token ON sns_endpoints (application, token);
  `);
  const base = `arn:aws:sns:${region}:${account}:`;
  const statements = {
    application: db.prepare('SELECT 1 FROM sns_applications WHERE arn = ?'),
    addApplication: db.prepare('INSERT OR IGNORE INTO sns_applications VALUES (?)'),
    applications: db.prepare('SELECT arn FROM sns_applications ORDER BY arn'),
    removeApplication: db.prepare('DELETE FROM sns_applications WHERE arn = ?'),
    endpoint: db.prepare('SELECT attributes FROM sns_endpoints WHERE arn = ?'),
    byToken: db.prepare('SELECT arn, attributes FROM sns_endpoints WHERE application = ? AND token = ?'),
    endpoints: db.prepare('SELECT arn, attributes FROM sns_endpoints WHERE application = ? ORDER BY arn'),
    put: db.prepare('INSERT OR REPLACE INTO sns_endpoints VALUES (?, ?, ?, ?)'),
    removeEndpoint: db.prepare('DELETE FROM sns_endpoints WHERE arn = ?'),
  };
  const readAttributes = (text: unknown): Record<string, string> =>
    Attributes.parse(JSON.parse(String(text)));
  const expectApplication = (arn: string): string => {
    if (statements.application.get(arn)) return arn;
    throw new ServiceError('NotFound', 'PlatformApplication does not exist', 404);
  };
  const expectEndpoint = (arn: string): Record<string, string> => {
    const row = statements.endpoint.get(arn);
    if (row === undefined) throw new ServiceError('NotFound', 'Endpoint does not exist', 404);
    return readAttributes(row['attributes']);
  };
  const put = (arn: string, attributes: Readonly<Record<string, string>>): void => {
    const [, platform = '', name = ''] = arn.slice(base.length).split('/');
    const application = `${base}app/${platform}/${name}`;
    statements.put.run(arn, application, attributes['Token'] ?? '', JSON.stringify(attributes));
  };
  const shown = (attributes: Readonly<Record<string, string>>): string => mapXml('Attributes', attributes);

  const operations: Record<string, QueryOperation> = {
    CreatePlatformApplication(input) {
      const arn = `${base}app/${need(input, 'Platform')}/${need(input, 'Name')}`;
      statements.addApplication.run(arn);
      return element('PlatformApplicationArn', arn);
    },
    ListPlatformApplications: () =>
      members(
        'PlatformApplications',
        statements.applications.all().map(({ arn }) => element('PlatformApplicationArn', String(arn))),
      ),
    DeletePlatformApplication(input) {
      statements.removeApplication.run(need(input, 'PlatformApplicationArn'));
      return '';
    },
    CreatePlatformEndpoint(input) {
      const application = expectApplication(need(input, 'PlatformApplicationArn'));
      const userData = input.get('CustomUserData');
      const wanted = {
        Enabled: 'true',
        Token: need(input, 'Token'),
        ...(userData !== null && { CustomUserData: userData }),
        ...mapOf(input, 'Attributes'),
      };
      const present = statements.byToken.get(application, wanted.Token);
      if (present === undefined) {
        const arn = `${base}endpoint/${application.slice(`${base}app/`.length)}/${newId()}`;
        put(arn, wanted);
        return element('EndpointArn', arn);
      }
      const held = readAttributes(present['attributes']);
      if (held['Enabled'] !== wanted.Enabled || held['CustomUserData'] !== wanted.CustomUserData) {
        throw invalidParameter(
          `Token Reason: Endpoint ${present['arn']} already exists with the same Token, but different attributes.`,
        );
      }
      return element('EndpointArn', String(present['arn']));
    },
    GetEndpointAttributes: (input) => shown(expectEndpoint(need(input, 'EndpointArn'))),
    SetEndpointAttributes(input) {
      const arn = need(input, 'EndpointArn');
      put(arn, { ...expectEndpoint(arn), ...mapOf(input, 'Attributes') });
      return '';
    },
    DeleteEndpoint(input) {
      statements.removeEndpoint.run(need(input, 'EndpointArn'));
      return '';
    },
    ListEndpointsByPlatformApplication: (input) =>
      members(
        'Endpoints',
        statements.endpoints
          .all(expectApplication(need(input, 'PlatformApplicationArn')))
          .map(
            ({ arn, attributes }) => element('EndpointArn', String(arn)) + shown(readAttributes(attributes)),
          ),
      ),
  };

  const publish: QueryOperation = (input) => {
    const target = need(input, 'TargetArn');
    const published = publishedOf(input);
    if (!statements.endpoint.get(target))
      throw invalidParameter('TargetArn Reason: No endpoint found for the target arn specified');
    const { Enabled, Token = '' } = expectEndpoint(target);
    if (Enabled !== 'true') throw new ServiceError('EndpointDisabled', 'Endpoint is disabled');
    const platform = target.slice(base.length).split('/')[1] ?? '';
    const payload = published.textFor(platform);
    const { title = published.subject ?? undefined, body = payload } = alertOf(payload);
    const id = newId();
    sent.add(
      {
        id,
        at: new Date(clock.now()).toISOString(),
        medium: 'push',
        to: [Token],
        text: body,
        ...(title !== undefined && { subject: title }),
        tags: Object.fromEntries(
          Object.entries(published.attributes).map(([name, { Value }]) => [name, Value]),
        ),
      },
      payload,
    );
    return element('MessageId', id);
  };
  return { operations, publish };
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

/** What a person would see of a payload for Apple's or Google's push; nothing when it is plain text. */
const alertOf = (payload: string): z.infer<typeof Alert> => {
  try {
    return Payload.catch({}).parse(JSON.parse(payload));
  } catch {
    return {};
  }
};
