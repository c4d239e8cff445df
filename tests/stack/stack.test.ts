import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, aws_sqs as sqs } from 'aws-cdk-lib';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { HubConfig } from '../../core/config/hub-config.ts';
import { functionModules } from '../../infra/stack/bundle.ts';
import { HubStack } from '../../infra/stack/index.ts';
import { addChecks, suppressed } from '../../infra/stack/nag-rules.ts';
import { readSeed } from '../../infra/stack/seed.ts';

const folder = mkdtempSync(join(tmpdir(), 'tributary-stack-'));
afterAll(() => rmSync(folder, { recursive: true }));

// These tests do not run functions: an empty file replaces each bundle.
const bundles = join(folder, 'bundles');
for (const name of Object.keys(functionModules)) {
  mkdirSync(join(bundles, name), { recursive: true });
  writeFileSync(join(bundles, name, 'index.cjs'), '');
}

const Template = z.object({
  Resources: z.record(
    z.string(),
    z.looseObject({ Type: z.string(), Properties: z.looseObject({}).default({}) }),
  ),
});
type Resources = z.infer<typeof Template>['Resources'];

const synthesise = (
  hubs: readonly z.input<typeof HubConfig>[],
  change: (app: App, stacks: readonly HubStack[]) => unknown = () => {},
) => {
  const app = new App({ outdir: mkdtempSync(join(folder, 'out-')), builtinCloudFormationValidation: false });
  const seed = readSeed();
  const made = hubs.map((given) => {
    const hub = HubConfig.parse(given);
    return new HubStack(app, `tributary-${hub.name}`, { hub, seed, bundles });
  });
  change(app, made);
  const { directory } = app.synth();
  const stacks = made.map(
    ({ stackName: name }) =>
      Template.parse(JSON.parse(readFileSync(join(directory, `${name}.template.json`), 'utf8'))).Resources,
  );
  return stacks;
};
const synthesised = new Map<string, Resources>();
/** The resources of a hub with these settings. Equal settings are synthesised once. */
const only = (hub: z.input<typeof HubConfig> = {}): Resources => {
  const key = JSON.stringify(hub);
  const resources = synthesised.get(key) ?? synthesise([hub])[0] ?? {};
  synthesised.set(key, resources);
  return resources;
};
const ofType = (resources: Resources, type: string) =>
  Object.entries(resources).filter(([, resource]) => resource.Type === type);

// The limit only ends a synthesis that hangs: how long one takes depends on the machine and its load.
const HANGING = { timeout: 600_000 };

describe('the stack', HANGING, () => {
  it('has no finding of AwsSolutions and Serverless, and suppresses at most ten rules', () => {
    synthesise([{ channels: { ses: {}, twilio: {} } }], (app, [stack]) => stack && addChecks(app, stack));
    expect(Object.keys(suppressed).length).toBeLessThanOrEqual(10);
  });

  it('cannot be synthesised with a queue that accepts requests without TLS', () => {
    const open = () =>
      synthesise([{}], (app, [stack]) => {
        if (stack === undefined) return;
        new sqs.Queue(stack, 'Open');
        addChecks(app, stack);
      });
    expect(open).toThrow(/AwsSolutions-SQS4/u);
  });

  it('retains stateful resources under fixed logical ids', () => {
    const resources = only();
    const kept = Object.entries(resources)
      .filter(([, { DeletionPolicy }]) => DeletionPolicy !== undefined && DeletionPolicy !== 'Delete')
      .map(([id, resource]) => [id, resource.Type, resource['UpdateReplacePolicy']].join(' '))
      .sort();
    expect(kept).toEqual([
      'Customers AWS::DynamoDB::Table Retain',
      'Files AWS::S3::Bucket Retain',
      'Key AWS::KMS::Key Retain',
      'SecretApi AWS::SecretsManager::Secret Retain',
      'SecretChannelsMeta AWS::SecretsManager::Secret Retain',
      'SecretChannelsSendgrid AWS::SecretsManager::Secret Retain',
      'SecretChannelsTwilio AWS::SecretsManager::Secret Retain',
      'SecretCrmHubspot AWS::SecretsManager::Secret Retain',
      'SecretCrmSalesforce AWS::SecretsManager::Secret Retain',
      'SecretHashedKeys AWS::SecretsManager::Secret Retain',
      'SecretSendersWhatsappCloud AWS::SecretsManager::Secret Retain',
      'SecretSigning AWS::SecretsManager::Secret Retain',
    ]);
    const queues = ofType(resources, 'AWS::SQS::Queue').map(([id]) => id);
    expect(queues.sort()).toEqual(
      [
        'Decisions',
        'Deliveries',
        'Hubspot',
        'HubspotProbes',
        'Imports',
        'Jobs',
        'Notifications',
        'Projections',
        'Salesforce',
        'SalesforceProbes',
      ]
        .flatMap((name) => [`${name}Dead`, `${name}Queue`])
        .sort(),
    );
    expect(resources['Bus']?.Type).toBe('AWS::Events::EventBus');
    expect(resources['Customers']?.Properties).toMatchObject({
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    });
  });

  it('has secrets only for what is switched on', () => {
    const names = ofType(
      only({ channels: { twilio: {} }, crms: {}, senders: { email: 'ses' } }),
      'AWS::SecretsManager::Secret',
    ).map(([, { Properties }]) => Properties['Name']);
    expect(names.sort()).toEqual(['acme/api', 'acme/channels/twilio', 'acme/hashed-keys', 'acme/signing']);
  });

  it('synchronises with the CRMs that are switched on, and with no other', () => {
    const resources = only({ crms: { servicenow: {} } });
    const secrets = ofType(resources, 'AWS::SecretsManager::Secret').map(
      ([, { Properties }]) => Properties['Name'],
    );
    expect(secrets.filter((name) => String(name).startsWith('acme/crm/'))).toEqual(['acme/crm/servicenow']);
    const functions = ofType(resources, 'AWS::Lambda::Function').map(([id]) => id);
    expect(functions.filter((id) => /servicenow/iu.test(id))).toHaveLength(1);
    expect(functions.filter((id) => /salesforce|hubspot/iu.test(id))).toEqual([]);
  });

  it('allows several hubs in one account', () => {
    const stacks = synthesise([{ name: 'one' }, { name: 'two' }]);
    const NAME = /^(?:.*Name|Name)$/u;
    const named = stacks.map((resources) =>
      Object.values(resources).flatMap(({ Type, Properties }) =>
        Object.entries(Properties).flatMap(([key, value]) =>
          NAME.test(key) && typeof value === 'string' && !shared.has(`${Type} ${key}`)
            ? [`${Type} ${key} ${value}`]
            : [],
        ),
      ),
    );
    const [one = [], two = []] = named;
    expect(one.length).toBeGreaterThan(20);
    expect(one.filter((name) => two.includes(name))).toEqual([]);
  });

  it('has alarms for every queue, dead-letter queue and function', () => {
    const resources = only();
    const watched = JSON.stringify(ofType(resources, 'AWS::CloudWatch::Alarm'));
    const ids = ['AWS::SQS::Queue', 'AWS::Lambda::Function'].flatMap((type) =>
      ofType(resources, type).map(([id]) => id),
    );
    expect(ids.length).toBeGreaterThan(15);
    expect(ids.filter((id) => !watched.includes(`"${id}"`))).toEqual([]);
    expect(
      ofType(resources, 'AWS::SNS::Subscription').map(([, { Properties }]) => Properties['Endpoint']),
    ).toEqual(['ops@acme.example']);
  });

  it('has one alarm for the messages that `claims` withheld, which decide logs', () => {
    const resources = only();
    const [filter] = ofType(resources, 'AWS::Logs::MetricFilter').filter(([, { Properties }]) =>
      JSON.stringify(Properties).includes('claim-cap'),
    );
    const [log] = ofType(resources, 'AWS::Logs::LogGroup').filter(([id]) => id.includes('DecideLogs'));
    expect(filter?.[1].Properties).toMatchObject({
      FilterPattern: '{ $.code = "claim-cap" }',
      LogGroupName: { Ref: log?.[0] },
      MetricTransformations: [{ MetricName: 'ClaimCaps', MetricValue: '1' }],
    });
    const alarms = ofType(resources, 'AWS::CloudWatch::Alarm').filter(
      ([, { Properties }]) => Properties['MetricName'] === 'ClaimCaps',
    );
    expect(alarms.map(([, { Properties }]) => Properties['Threshold'])).toEqual([1]);
  });

  it('has alarms for rules by their names, which are only a part of their Ref', () => {
    const resources = only({
      channels: { salesforce: { eventBus: 'aws.partner/salesforce.com/00D/0YL' } },
    });
    const alarms = JSON.stringify(ofType(resources, 'AWS::CloudWatch::Alarm'));
    const rules = ofType(resources, 'AWS::Events::Rule').map(([id]) => id);
    const watched = rules.filter((id) =>
      alarms.includes(JSON.stringify({ 'Fn::Select': [1, { 'Fn::Split': ['|', { Ref: id }] }] })),
    );
    expect(rules.filter((id) => !watched.includes(id))).toEqual([]);
    expect(watched.some((id) => /SalesforceEvents/u.test(id))).toBe(true);
    expect(watched.filter((id) => /ProjectionsConsumer/u.test(id))).toHaveLength(3);
  });

  it('shows every queue, the waiting messages of imports, jobs and projections, and the events of Salesforce on the dashboard', () => {
    const resources = only({
      channels: { salesforce: { eventBus: 'aws.partner/salesforce.com/00D/0YL' } },
    });
    const [[, dashboard] = []] = ofType(resources, 'AWS::CloudWatch::Dashboard');
    const body = JSON.stringify(dashboard?.Properties['DashboardBody']);
    const queues = ofType(resources, 'AWS::SQS::Queue').map(([id]) => id);
    expect(queues.length).toBeGreaterThan(10);
    expect(queues.filter((id) => !body.includes(`"${id}"`))).toEqual([]);
    for (const id of ['ImportsQueue', 'JobsQueue', 'ProjectionsQueue'])
      expect(body).toMatch(new RegExp(`MessagesVisible[^{}]*QueueName[^{}]*\\{"Fn::GetAtt":\\["${id}"`, 'u'));
    expect(body).toContain('Events of Salesforce');
    expect(JSON.stringify(ofType(only(), 'AWS::CloudWatch::Dashboard'))).not.toContain(
      'Events of Salesforce',
    );
  });

  it('reserves no concurrency, and limits the retention of logs', () => {
    const resources = only();
    for (const [, { Properties }] of ofType(resources, 'AWS::Lambda::Function'))
      expect(Properties).not.toHaveProperty('ReservedConcurrentExecutions');
    for (const [id, { Properties }] of ofType(resources, 'AWS::Logs::LogGroup'))
      expect(Properties['RetentionInDays']).toBe(id.includes('AccessLog') ? 7 : 30);
  });

  it('logs the route of a request and for a week its source address, never its path', () => {
    const [[, stage] = ['', { Properties: {} }]] = ofType(only(), 'AWS::ApiGatewayV2::Stage');
    const logged = JSON.stringify(stage.Properties);
    expect(logged).toContain('$context.routeKey');
    expect(logged).toContain('$context.identity.sourceIp');
    expect(logged).not.toMatch(/\$context\.(?:path|identity\.(?!sourceIp)|authorizer)/u);
  });

  it('throttles what anybody may call more than what needs a key, and webhooks least', () => {
    const [[, made] = []] = ofType(only(), 'AWS::ApiGatewayV2::Stage');
    const stage = made?.Properties ?? {};
    const limits = z.record(z.string(), z.object({ ThrottlingRateLimit: z.number() }).loose());
    const byRoute = limits.parse(stage['RouteSettings']);
    const rate = (key: string) => byRoute[key]?.ThrottlingRateLimit;
    expect([rate('GET /unsubscribe/{token}'), rate('GET /customers/{id}')]).toEqual([50, 200]);
    expect(rate('ANY /webhooks/{provider}')).toBeUndefined();
    expect(stage['DefaultRouteSettings']).toMatchObject({ ThrottlingRateLimit: 1000 });
    expect(made?.['DependsOn']).toHaveLength(Object.keys(byRoute).length);
  });

  it('has no address of AWS beside an own one, and a budget where one is given', () => {
    const own = only({ publicUrl: 'https://hub.acme.example', budget: 100 });
    const [[, api] = []] = ofType(own, 'AWS::ApiGatewayV2::Api');
    expect(api?.Properties['DisableExecuteApiEndpoint']).toBe(true);
    expect(ofType(own, 'AWS::Budgets::Budget')).toHaveLength(1);
    expect(ofType(only(), 'AWS::Budgets::Budget')).toEqual([]);
  });

  it('lets SES store inbound mail in the bucket for two weeks where its webhook is on', () => {
    const of = (hub: z.input<typeof HubConfig>) => {
      const { Files: files, ...others } = only(hub);
      const policies = ['AWS::S3::BucketPolicy', 'AWS::IAM::Policy'].flatMap((type) => ofType(others, type));
      return JSON.stringify([files, policies]);
    };
    const mail = '"ExpirationInDays":14,"Prefix":"mail/"';
    const on = of({ channels: { ses: {} } });
    expect([on.includes(mail), on.match(/\/mail\/\*/gu)?.length]).toEqual([true, 4]);
    expect(of({ channels: { twilio: {} } })).not.toContain('mail/');
  });

  it('subscribes to the e-mail events of SES where its webhook is on', () => {
    const subscriptions = (hub: z.input<typeof HubConfig>) =>
      ofType(only(hub), 'AWS::SNS::Subscription').filter(
        ([, { Properties }]) => Properties['Protocol'] === 'https',
      );
    expect(subscriptions({ channels: { ses: {} } })).toHaveLength(1);
    expect(subscriptions({ channels: { twilio: {} } })).toEqual([]);
  });
});

/** Names that are unique within a resource whose own name contains the hub, or that name nothing. */
const shared: ReadonlySet<string> = new Set([
  'AWS::ApiGatewayV2::Stage StageName',
  'AWS::CloudWatch::Alarm MetricName',
  'AWS::IAM::Policy PolicyName',
]);
