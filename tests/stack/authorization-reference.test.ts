import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../core/clock.ts';
import { Resolver } from '../../infra/local/cloudformation/template.ts';
import { type Statement, statementsOf } from '../../infra/local/iam/policy.ts';
import { ACCOUNT, REGION } from '../../infra/local/runtime/account.ts';
import { openInProcessHub } from '../../infra/scenario/hub/in-process-hub.ts';
import { type Assembly, assembly } from '../../infra/stack/assembly.ts';
import { synthesiseHub } from '../support/synthesise-hub.ts';
import { runFullDay } from '../tools/least-privilege/day/run.ts';
import { policyLocations } from '../tools/least-privilege/removals.ts';
import { requestFaults, statementFaults } from './authorization-reference.ts';
import { everything } from './every-switch.ts';

// The limits only end what hangs: how long a deployment takes depends on the machine and its load.
const HANGING = { timeout: 600_000 };

/** Every statement of the template, with its references resolved as a deployment resolves them. */
const statementsIn = async (synthesised: Assembly) => {
  const { cloud } = await openInProcessHub({
    assembly: synthesised,
    clock: new VirtualClock(Date.parse('2026-03-02T09:00:00Z')),
    runCustomResources: false,
    functions: () => async () => ({ batchItemFailures: [] }),
  });
  const { template, name } = synthesised;
  const resolver = new Resolver(template, cloud.created, {
    region: REGION,
    account: ACCOUNT,
    stackName: name,
  });
  const found = Object.entries(template.Resources).flatMap(([id, { Type, Properties }]) => {
    const location = policyLocations[Type];
    if (location === undefined) return [];
    const document = resolver.resolve(Properties[location.key]);
    return statementsOf(document, id).map((statement) => ({ statement, kind: location.kind }));
  });
  await cloud.stop();
  return found;
};

const faultsOf = async (statements: Awaited<ReturnType<typeof statementsIn>>): Promise<string[]> => {
  const all = await Promise.all(
    statements.map(async ({ statement, kind }) =>
      (await statementFaults(statement, kind)).map((fault) => `${statement.id}: ${fault}`),
    ),
  );
  return all.flat();
};

const identity = (statement: Omit<Statement, 'id' | 'Effect'>) =>
  statementFaults({ id: 'Test[0]', Effect: 'Allow', ...statement }, 'identity');

describe('the permissions, against the service authorization reference', HANGING, () => {
  it('name actions, resources and conditions that AWS knows, with everything switched on', async () => {
    const hub = synthesiseHub(everything);
    const statements = await statementsIn(hub);
    hub.remove();
    expect(statements.length).toBeGreaterThan(200);
    expect(await faultsOf(statements)).toEqual([]);
  });

  it('of the local runtime name what AWS knows too, on a whole day', async () => {
    const requests = new Map<string, Parameters<typeof requestFaults>[0]>();
    await runFullDay(await assembly(), {
      onClock: () => {},
      onDecision: ({ request }) => {
        const keys = Object.keys(request.context ?? {})
          .sort()
          .join();
        requests.set(`${request.action} ${request.resource} ${keys}`, request);
      },
    });
    expect(requests.size).toBeGreaterThan(100);
    const faults = await Promise.all([...requests.values()].map(requestFaults));
    expect([...new Set(faults.flat())].sort()).toEqual([]);
  });

  it('finds an action that does not exist, and one that has no resource', async () => {
    expect(await identity({ Action: ['sqs:SendMessages'], Resource: ['*'] })).toEqual([
      'sqs:SendMessages does not exist',
    ]);
    const rules = 'arn:aws:events:eu-central-1:123456789012:rule/bus/*';
    expect(await identity({ Action: ['events:ListRules'], Resource: [rules] })).toEqual([
      `events:ListRules is not checked against ${rules}`,
    ]);
  });

  it('finds a resource of another kind, and `*` for an action that has one', async () => {
    expect(
      await identity({ Action: ['s3:ListBucket'], Resource: ['arn:aws:s3:::files/texts/*'] }),
    ).toHaveLength(1);
    expect(await identity({ Action: ['s3:GetObject'], Resource: ['arn:aws:s3:::files/texts/*'] })).toEqual(
      [],
    );
    expect(await identity({ Action: ['dynamodb:PutItem'], Resource: ['*'] })).toHaveLength(1);
  });

  it('finds a condition key that the action has not, and ForAllValues without Null', async () => {
    const Resource = ['arn:aws:dynamodb:eu-central-1:123456789012:table/customers'];
    const Condition = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['nonce#*'] } };
    expect(await identity({ Action: ['dynamodb:PutItem'], Resource, Condition })).toHaveLength(1);
    expect(
      await identity({
        Action: ['dynamodb:PutItem'],
        Resource,
        Condition: { ...Condition, Null: { 'dynamodb:LeadingKeys': ['false'] } },
      }),
    ).toEqual([]);
    expect(
      await identity({
        Action: ['dynamodb:PutItem'],
        Resource,
        Condition: { StringEquals: { 'sqs:LeadingKeys': ['x'] } },
      }),
    ).toEqual(['dynamodb:PutItem has no condition key sqs:leadingkeys']);
  });
});
