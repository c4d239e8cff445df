import { beforeAll, describe, expect, it } from 'vitest';
import { type Assembly, assembly } from '../../../infra/stack/assembly.ts';
import { removalsOf } from '../../tools/least-privilege/removals.ts';
import { errorWithout, runTrials, trials } from '../../tools/least-privilege/trials.ts';

let synthesised: Assembly;
beforeAll(async () => {
  synthesised = await assembly();
});

const withoutLogs = async <T>(work: () => Promise<T>): Promise<T> => {
  const { info, warn, error } = console;
  const silent = (): void => {};
  Object.assign(console, { info: silent, warn: silent, error: silent });
  try {
    return await work();
  } finally {
    Object.assign(console, { info, warn, error });
  }
};

describe('the least privilege', () => {
  it('finds that a scenario needs a statement of a role, and one of a queue', async () => {
    await withoutLogs(async () => {
      const scenario = trials().filter(({ name }) => name === 'two-channels.yaml');
      const results = await runTrials(scenario, synthesised);
      expect([...results.values()].map(({ error }) => error)).toEqual([undefined]);
      const all = removalsOf(synthesised.template);
      const ofRecord = all.find(
        ({ place, actions }) => /Record/u.test(place) && actions.includes('events:PutEvents'),
      );
      const ofQueue = all.find(
        ({ place, actions }) => /^SalesforceQueuePolicy/u.test(place) && actions.includes('sqs:SendMessage'),
      );
      if (ofRecord === undefined || ofQueue === undefined)
        throw new Error('The template has no such statements. Update the names in this test.');
      expect(await errorWithout(ofRecord, synthesised, results)).toMatch(
        /not authorized to perform: events:PutEvents/,
      );
      expect(await errorWithout(ofQueue, synthesised, results)).toMatch(
        /events\.amazonaws\.com .* not authorized to perform: sqs:SendMessage/,
      );
    });
  });

  it('finds a statement that no trial needs', async () => {
    await withoutLogs(async () => {
      const scenario = trials().filter(({ name }) => name === 'two-channels.yaml');
      const template = structuredClone(synthesised.template);
      const [id, policy] =
        Object.entries(template.Resources).find(
          ([name, { Type }]) => Type === 'AWS::IAM::Policy' && /Record/u.test(name),
        ) ?? [];
      const { PolicyDocument } = (policy?.Properties ?? {}) as { PolicyDocument: { Statement: unknown[] } };
      PolicyDocument.Statement.push({ Effect: 'Allow', Action: 'dynamodb:Scan', Resource: '*' });
      const results = await runTrials(scenario, { ...synthesised, template });
      const added = removalsOf(template).find(
        ({ place, actions }) => place.startsWith(`${id}[`) && actions.includes('dynamodb:Scan'),
      );
      expect(added && (await errorWithout(added, synthesised, results))).toBeUndefined();
      expect(added).toBeDefined();
    });
  });
});

/** Where a service knows no resource for an action, or none that is known beforehand. */
const everywhere: Readonly<Record<string, string>> = {
  'events:ListRules': 'EventBridge knows no resource for it',
  'lambda:ListEventSourceMappings': 'Lambda knows no resource for it, once for each CRM',
  'ses:GetSendQuota': 'the quota is that of the account',
  'sms-voice:SendTextMessage': 'AWS picks the number, and then checks against no resource',
  'sns:DeleteEndpoint': 'SNS knows no resource for it',
};

describe('the policies of the template', () => {
  const statements = () =>
    Object.entries(synthesised.template.Resources).flatMap(([id, { Type, Properties }]) => {
      if (
        !/^AWS::(?:IAM::Policy|IAM::Role|SQS::QueuePolicy|SNS::TopicPolicy|S3::BucketPolicy|KMS::Key)$/u.test(
          Type,
        )
      )
        return [];
      const documents = [
        Properties['PolicyDocument'],
        Properties['KeyPolicy'],
        Properties['AssumeRolePolicyDocument'],
      ];
      return documents
        .filter((one) => one !== undefined)
        .flatMap((document) => (document as { Statement: Record<string, unknown>[] }).Statement)
        .map(
          (statement) =>
            ({ id, Type, ...statement }) as Record<string, unknown> & { id: string; Type: string },
        );
    });

  it("allow no action by a wildcard, except the account's access to its own key", () => {
    const wild = statements().filter(
      ({ Effect, Action }) => Effect === 'Allow' && [Action].flat().some((one) => String(one).includes('*')),
    );
    expect(wild.map(({ Type, Action }) => [Type, Action])).toEqual([['AWS::KMS::Key', 'kms:*']]);
  });

  it('name a resource wherever the service supports it', () => {
    const open = statements().filter(
      ({ Effect, Type, Resource }) =>
        Effect === 'Allow' && Type !== 'AWS::KMS::Key' && [Resource].flat().includes('*'),
    );
    const actions = new Set(open.flatMap(({ Action }) => [Action].flat().map(String)));
    expect([...actions].sort()).toEqual(Object.keys(everywhere).sort());
  });
});
