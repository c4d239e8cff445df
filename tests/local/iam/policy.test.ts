import { describe, expect, it } from 'vitest';
import { permissions } from '../../../infra/local/iam/index.ts';
import { appliesTo, statementsOf } from '../../../infra/local/iam/policy.ts';

const place = { region: 'eu-south-1', account: '123456789012', onDecision: () => {} };
const queue = 'arn:aws:sqs:eu-south-1:123456789012:work';
const root = 'arn:aws:iam::123456789012:root';
const document = (...statements: object[]) => ({ Version: '2012-10-17', Statement: statements });
const only = (statement: object) => {
  const [one] = statementsOf(document({ Effect: 'Allow', ...statement }), 'Test');
  if (one === undefined) throw new Error('There is no statement.');
  return one;
};
const speaks = (statement: object, action: string, resource: string, context = {}): boolean =>
  appliesTo(only(statement), { action, resource, context });

describe('a statement', () => {
  it.each([
    [{ Action: 'sqs:SendMessage', Resource: queue }, 'SQS:sendmessage', queue, true],
    [{ Action: 'sqs:Send*', Resource: '*' }, 'sqs:SendMessage', queue, true],
    [{ Action: 'sqs:Send?essage', Resource: `${queue}*` }, 'sqs:SendMessage', `${queue}Dead`, true],
    [{ Action: 'sqs:SendMessage', Resource: queue }, 'sqs:SendMessage', `${queue}Dead`, false],
    [{ Action: 'sqs:SendMessage', Resource: 'arn:aws:sqs:*:work' }, 'sqs:SendMessage', queue, false],
    [{ NotAction: 'sqs:*', Resource: '*' }, 'sqs:SendMessage', queue, false],
    [{ NotAction: 'sqs:*', Resource: '*' }, 's3:GetObject', 'arn:aws:s3:::b/k', true],
    [{ Action: 's3:GetObject', NotResource: 'arn:aws:s3:::b/*' }, 's3:GetObject', 'arn:aws:s3:::b/k', false],
    [
      { Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/k/*' },
      's3:GetObject',
      'arn:aws:s3:::b/k/a/b:c',
      true,
    ],
  ])('%j speaks of %s on %s: %s', (statement, action, resource, verdict) => {
    expect(speaks(statement, action, resource)).toBe(verdict);
  });

  it.each([
    ['StringEquals', ['a'], ['a'], true],
    ['StringEquals', ['a'], undefined, false],
    ['StringEqualsIfExists', ['a'], undefined, true],
    ['StringNotEquals', ['a', 'b'], ['b'], false],
    ['StringNotEquals', ['a'], undefined, true],
    ['StringLike', ['a*'], ['abc'], true],
    ['Bool', [false], ['false'], true],
    ['ArnLike', ['arn:aws:events:*:*:rule/x-*'], ['arn:aws:events:eu-south-1:1:rule/x-1'], true],
    ['ArnEquals', ['arn:aws:events:*'], ['arn:aws:events:eu-south-1:1:rule/x-1'], false],
    ['NumericLessThan', ['10'], ['9'], true],
    ['Null', ['true'], undefined, true],
    ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'b'], true],
    ['ForAllValues:StringEquals', ['a'], ['a', 'c'], false],
    ['ForAllValues:StringEquals', ['a'], undefined, true],
    ['ForAnyValue:StringEquals', ['a'], ['c', 'a'], true],
    ['ForAnyValue:StringEquals', ['a'], undefined, false],
  ])('%s %j holds for %j: %s', (operator, wanted, actual, verdict) => {
    const statement = { Action: 'sqs:*', Resource: '*', Condition: { [operator]: { 'aws:Key': wanted } } };
    const context = actual === undefined ? {} : { 'aws:key': actual };
    expect(speaks(statement, 'sqs:SendMessage', queue, context)).toBe(verdict);
  });

  it.each([
    ['an unknown operator', { Condition: { StringEqual: { 'aws:SourceArn': 'x' } } }, /StringEqual/],
    ['a policy variable', { Resource: 'arn:aws:s3:::b/$' + '{aws:username}' }, /aws:username/],
    ['an unknown element', { Actions: 'sqs:SendMessage' }, /Actions/],
  ])('with %s is an error that names its resource', (_, part, told) => {
    const read = () => statementsOf(document({ Effect: 'Allow', Action: 'sqs:*', ...part }), 'RecordPolicy');
    expect(read).toThrow(/RecordPolicy/);
    expect(read).toThrow(told);
  });
});

describe('a decision', () => {
  const need = { action: 'sqs:SendMessage', resource: queue };
  const worker = { role: 'arn:aws:iam::123456789012:role/work', session: 'work' };
  const rule = { service: 'events.amazonaws.com', source: 'arn:aws:events:eu-south-1:123456789012:rule/b/r' };
  const decided = (identity: object[], standing: object[], actor: typeof worker | typeof rule = worker) => {
    const all = permissions(place);
    all.observe(
      'AWS::IAM::Policy',
      'P',
      { Roles: ['work'], PolicyDocument: document(...identity) },
      { ref: 'P' },
    );
    all.observe(
      'AWS::SQS::QueuePolicy',
      'Q',
      { Queues: ['http://127.0.0.1/123456789012/work'], PolicyDocument: document(...standing) },
      { ref: 'Q' },
    );
    return all.refusal(actor, need)?.because;
  };
  const allow = { Effect: 'Allow', Action: 'sqs:SendMessage', Resource: queue };
  const deny = { ...allow, Effect: 'Deny' };
  const fromRule = {
    ...allow,
    Principal: { Service: 'events.amazonaws.com' },
    Condition: { ArnEquals: { 'aws:SourceArn': rule.source } },
  };

  it('needs one policy that allows, of either sort, and none that denies', () => {
    expect(decided([], [])).toBe('no-identity-policy');
    expect(decided([allow], [])).toBeUndefined();
    expect(decided([], [{ ...allow, Principal: { AWS: worker.role } }])).toBeUndefined();
    expect(decided([], [{ ...allow, Principal: { AWS: root } }])).toBe('no-identity-policy');
    expect(decided([allow, deny], [])).toBe('explicit-deny');
    expect(decided([allow], [{ ...deny, Principal: '*' }])).toBe('explicit-deny');
  });

  it('lets a service act for the resource that a policy names, and for no other', () => {
    expect(decided([allow], [], rule)).toBe('no-resource-policy');
    expect(decided([], [fromRule], rule)).toBeUndefined();
    expect(decided([], [fromRule], { ...rule, source: `${rule.source}2` })).toBe('no-resource-policy');
    expect(decided([], [fromRule], { ...rule, service: 'sns.amazonaws.com' })).toBe('no-resource-policy');
  });

  it('takes a key by its own policy, and by IAM only where that policy hands over to the account', () => {
    const key = 'arn:aws:kms:eu-south-1:123456789012:key/k';
    const uses = { Effect: 'Allow', Action: 'kms:Decrypt', Resource: key };
    const tried = (...standing: object[]) => {
      const all = permissions(place);
      all.observe('AWS::IAM::Policy', 'P', { Roles: ['work'], PolicyDocument: document(uses) }, { ref: 'P' });
      all.observe(
        'AWS::KMS::Key',
        'k',
        { KeyPolicy: document(...standing) },
        { ref: 'k', attributes: { Arn: key } },
      );
      return all.refusal(worker, { action: 'kms:Decrypt', resource: key })?.because;
    };
    expect(tried()).toBe('no-resource-policy');
    expect(
      tried({ Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' }),
    ).toBeUndefined();
  });
});
