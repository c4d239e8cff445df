import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, aws_sqs as sqs } from 'aws-cdk-lib';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { HubConfig } from '../../core/config/hub-config.ts';
import { functionModules, root } from '../../infra/stack/bundle.ts';
import { HubStack } from '../../infra/stack/index.ts';
import { addChecks, suppressed } from '../../infra/stack/nag-rules.ts';
import { readSeed } from '../../infra/stack/seed.ts';
import { everything } from './every-switch.ts';

const folder = mkdtempSync(join(tmpdir(), 'tributary-stack-'));
afterAll(() => rmSync(folder, { recursive: true }));

// These tests do not run functions: an empty file replaces each bundle.
const bundles = join(folder, 'bundles');
for (const name of Object.keys(functionModules)) {
  mkdirSync(join(bundles, name), { recursive: true });
  writeFileSync(join(bundles, name, 'index.cjs'), '');
}

/** As `cdk synth` has it: it joins statements of policies, for example. */
const { context } = z
  .object({ context: z.record(z.string(), z.unknown()) })
  .parse(JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')));

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
  const outdir = mkdtempSync(join(folder, 'out-'));
  const app = new App({ outdir, context, builtinCloudFormationValidation: false });
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

const Creating = z.object({
  Action: z.literal('secretsmanager:CreateSecret'),
  Condition: z.object({ StringEquals: z.object({ 'secretsmanager:Name': z.array(z.string()) }) }),
});
/** The names of the secrets that a deployment may create. */
const creatable = (resources: Resources): string[] =>
  ofType(resources, 'AWS::IAM::Policy')
    .flatMap(
      ([, { Properties }]) =>
        z.looseObject({ Statement: z.array(z.unknown()) }).parse(Properties['PolicyDocument']).Statement,
    )
    .flatMap(
      (statement) => Creating.safeParse(statement).data?.Condition.StringEquals['secretsmanager:Name'] ?? [],
    )
    .sort();

// The limit only ends a synthesis that hangs: how long one takes depends on the machine and its load.
const HANGING = { timeout: 600_000 };

describe('the stack', HANGING, () => {
  it('has no finding of AwsSolutions and Serverless, and suppresses at most ten rules', () => {
    synthesise([everything], (app, [stack]) => stack && addChecks(app, stack));
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
      .map(([id, { Type, DeletionPolicy, UpdateReplacePolicy }]) =>
        [id, Type, DeletionPolicy, UpdateReplacePolicy].join(' '),
      )
      .sort();
    expect(kept).toEqual([
      'Customers AWS::DynamoDB::Table Retain Retain',
      'Files AWS::S3::Bucket RetainExceptOnCreate Retain',
      'Key AWS::KMS::Key RetainExceptOnCreate Retain',
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

  it('leaves secrets to the deployment, and allows it those of what is switched on alone', () => {
    const resources = only({ channels: { twilio: {} }, crms: {}, senders: { email: 'ses' } });
    expect(ofType(resources, 'AWS::SecretsManager::Secret')).toEqual([]);
    expect(creatable(resources)).toEqual([
      'acme/api',
      'acme/channels/twilio',
      'acme/hashed-keys',
      'acme/signing',
    ]);
  });

  it('has no resource of SES where SES is not used', () => {
    const ofSes = (senders: Record<string, string>): string[] =>
      Object.values(only({ senders })).flatMap(({ Type }) => (Type.startsWith('AWS::SES::') ? [Type] : []));
    expect(ofSes({ sms: 'aws-sms' })).toEqual([]);
    expect(ofSes({ email: 'ses' })).toEqual(['AWS::SES::ConfigurationSet']);
  });

  it('bounds what its queues may take of the concurrent executions of the account', () => {
    const bounds = (hub: z.input<typeof HubConfig>) =>
      ofType(only(hub), 'AWS::Lambda::EventSourceMapping').map(([id, { Properties }]) => [
        id,
        z.object({ ScalingConfig: z.object({ MaximumConcurrency: z.int() }) }).parse(Properties).ScalingConfig
          .MaximumConcurrency,
      ]);
    const above = (hub: z.input<typeof HubConfig>) => bounds(hub).filter(([, bound]) => Number(bound) > 2);
    expect(above({})).toEqual([[expect.stringMatching(/Record.*Deliveries/u), 3]]);
    expect(above({ concurrency: { notify: 9 } })).toHaveLength(2);
  });

  it('runs its custom resource again where its code changes, and never waits an hour for it', () => {
    const [[, { Properties }] = ['', { Properties: {} }]] = ofType(only(), 'Custom::TributaryConfiguration');
    expect(Properties).toMatchObject({
      ServiceTimeout: '1200',
      code: expect.stringMatching(/^[0-9a-f]{64}$/u),
    });
  });

  it('synchronises with the CRMs that are switched on, and with no other', () => {
    const resources = only({ crms: { servicenow: {} } });
    expect(creatable(resources).filter((name) => name.startsWith('acme/crm/'))).toEqual([
      'acme/crm/servicenow',
    ]);
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
    const onBus = ofType(resources, 'AWS::Events::Rule').filter(
      ([, { Properties }]) => Properties['EventBusName'] !== undefined,
    );
    const watched = onBus
      .map(([id]) => id)
      .filter((id) =>
        alarms.includes(JSON.stringify({ 'Fn::Select': [1, { 'Fn::Split': ['|', { Ref: id }] }] })),
      );
    expect(watched).toEqual(onBus.map(([id]) => id));
    // A schedule is on the default bus, where the Ref is the name.
    for (const [id, { Properties }] of ofType(resources, 'AWS::Events::Rule'))
      if (Properties['EventBusName'] === undefined)
        expect(alarms).toContain(JSON.stringify({ Name: 'RuleName', Value: { Ref: id } }));
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
    expect([on.includes(mail), on.match(/\/mail\/\*/gu)?.length]).toEqual([true, 3]);
    expect(of({ channels: { twilio: {} } })).not.toContain('mail/');
  });

  it('brings the events of SES to the deliveries queue without anything to confirm, where its channel is on', () => {
    const subscriptions = (hub: z.input<typeof HubConfig>) =>
      ofType(only(hub), 'AWS::SNS::Subscription').flatMap(([, { Properties }]) =>
        Properties['Protocol'] === 'email' ? [] : [Properties],
      );
    expect(subscriptions({ channels: { ses: {} } })).toMatchObject([
      {
        Protocol: 'sqs',
        Endpoint: { 'Fn::GetAtt': ['DeliveriesQueue', 'Arn'] },
        RedrivePolicy: { deadLetterTargetArn: { 'Fn::GetAtt': ['DeliveriesDead', 'Arn'] } },
      },
    ]);
    expect(subscriptions({ channels: { twilio: {} } })).toEqual([]);
  });
});

/** Names that are unique within a resource whose own name contains the hub, or that name nothing. */
const shared: ReadonlySet<string> = new Set([
  'AWS::ApiGatewayV2::Stage StageName',
  'AWS::CloudWatch::Alarm MetricName',
  'AWS::IAM::Policy PolicyName',
]);
