import * as z from 'zod';
import { jsonOperation } from '../protocol/json.ts';
import { queryOperation } from '../protocol/query.ts';
import type { AwsRequest } from '../protocol/service.ts';
import { elementsIn } from '../s3/answer.ts';
import { callOf, s3Operation } from '../s3/request.ts';
import type { Need } from './policy.ts';

/** What must be known of the account to name the resources of a request. */
export interface KnownResources {
  readonly region: string;
  readonly account: string;
  /** The full ARN of a secret, with the six characters that Secrets Manager adds, by its name or ARN. */
  readonly secretArn: (id: string) => string | undefined;
  /** The customer-managed key that encrypts a table or a bucket. */
  readonly keyOf: (arn: string) => string | undefined;
  /** The name of a table's partition key. */
  readonly partitionKeyOf: (arn: string) => string | undefined;
}

type Input = Readonly<Record<string, unknown>>;
type Derive = (input: Input, operation: string, known: KnownResources, request: AwsRequest) => Need[];

const arn = ({ region, account }: KnownResources, service: string, rest: string): string =>
  `arn:aws:${service}:${region}:${account}:${rest}`;
const texts = z.record(z.string(), z.unknown());
const record = (value: unknown): Input => texts.safeParse(value).data ?? {};
const records = (value: unknown): Input[] => (Array.isArray(value) ? value.map(record) : []);
const text = (value: unknown, otherwise = ''): string => (typeof value === 'string' ? value : otherwise);

/**
 * A table's data is under its key, and DynamoDB opens it in the caller's name: reading and writing both take
 * `kms:Decrypt`, and no more than that; making data keys is for whoever creates the table.
 */
const onTable = (
  known: KnownResources,
  action: string,
  table: string,
  asked: { readonly input: Input; readonly index?: string },
): Need[] => {
  const own = table.startsWith('arn:') ? table : arn(known, 'dynamodb', `table/${table}`);
  const leading = leadingKeys(asked.input, known.partitionKeyOf(own) ?? '');
  return [
    {
      action: `dynamodb:${action}`,
      resource: asked.index === undefined ? own : `${own}/index/${asked.index}`,
      ...(leading.length > 0 && { context: { 'dynamodb:leadingkeys': leading } }),
    },
    ...throughKey(known, 'dynamodb', own, ['kms:Decrypt']),
  ];
};

/** The partition keys of the items that a request, or a part of one, names. */
const leadingKeys = (input: Input, partition: string): string[] => {
  const requests = [input['PutRequest'], input['DeleteRequest']].map(record);
  const items = [input, ...requests].flatMap(({ Item, Key }) => [record(Item), record(Key)]);
  const keys = [...items, ...records(input['Keys'])].map((item) => record(item[partition]));
  const names = record(input['ExpressionAttributeNames']);
  const values = record(input['ExpressionAttributeValues']);
  const equal = text(input['KeyConditionExpression']).matchAll(/([#\w.-]+)\s*=\s*(:\w+)/gu);
  for (const [, name = '', value = ''] of equal)
    if ((names[name] ?? name) === partition) keys.push(record(values[value]));
  return keys.flatMap(({ S, N, B }) => [S, N, B].filter((one) => typeof one === 'string'));
};

const throughKey = (
  known: KnownResources,
  service: string,
  own: string,
  actions: readonly string[],
): Need[] => {
  const key = known.keyOf(own);
  if (key === undefined) return [];
  const context = {
    'kms:viaservice': [`${service}.${known.region}.amazonaws.com`],
    'kms:calleraccount': [known.account],
  };
  return actions.map((action) => ({ action, resource: key, context }));
};

const transactActions: Readonly<Record<string, string>> = {
  Put: 'PutItem',
  Update: 'UpdateItem',
  Delete: 'DeleteItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
};

const dynamodb: Derive = (input, operation, known) => {
  if (operation === 'TransactWriteItems' || operation === 'TransactGetItems')
    return records(input['TransactItems']).flatMap((item) =>
      Object.entries(item).flatMap(([kind, one]) =>
        onTable(known, transactActions[kind] ?? kind, text(record(one)['TableName']), { input: record(one) }),
      ),
    );
  if (operation === 'BatchGetItem')
    return Object.entries(record(input['RequestItems'])).flatMap(([table, asked]) =>
      onTable(known, operation, table, { input: record(asked) }),
    );
  if (operation === 'BatchWriteItem')
    return Object.entries(record(input['RequestItems'])).flatMap(([table, writes]) =>
      records(writes).flatMap((write) => onTable(known, operation, table, { input: write })),
    );
  if (operation === 'ListTables') return [{ action: 'dynamodb:ListTables', resource: '*' }];
  const index = input['IndexName'];
  return onTable(known, operation, text(input['TableName']), {
    input,
    ...(typeof index === 'string' && { index }),
  });
};

/** A batch is what its single operation is. */
const sqs: Derive = (input, operation, known, request) => {
  const url = text(input['QueueUrl'], request.path);
  const name = url.split('/').at(-1) || text(input['QueueName'], '*');
  return [{ action: `sqs:${operation.replace(/Batch$/u, '')}`, resource: arn(known, 'sqs', name) }];
};

const events: Derive = (input, operation, known) => {
  const busOf = (given: unknown): string => text(given, 'default').replace(/^arn:[^/]*:event-bus\//u, '');
  if (operation === 'PutEvents')
    return records(input['Entries']).map((entry) => ({
      action: 'events:PutEvents',
      resource: arn(known, 'events', `event-bus/${busOf(entry['EventBusName'])}`),
      context: {
        'events:source': [text(entry['Source'])],
        'events:detail-type': [text(entry['DetailType'])],
      },
    }));
  if (/EventBus$/u.test(operation))
    return [
      { action: `events:${operation}`, resource: arn(known, 'events', `event-bus/${busOf(input['Name'])}`) },
    ];
  if (/Archive$/u.test(operation))
    return [
      {
        action: `events:${operation}`,
        resource: arn(known, 'events', `archive/${text(input['ArchiveName'], '*')}`),
      },
      // Whoever makes an archive is asked about the bus that it is of, too.
      ...(operation === 'CreateArchive'
        ? [{ action: `events:${operation}`, resource: text(input['EventSourceArn']) }]
        : []),
    ];
  const bus = busOf(input['EventBusName']);
  const rule = text(input['Rule'] ?? input['Name'], '*');
  const resource = arn(known, 'events', `rule/${bus === 'default' ? '' : `${bus}/`}${rule}`);
  return [
    { action: `events:${operation}`, resource },
    ...[input, ...records(input['Targets'])].flatMap(({ RoleArn }) => passing(RoleArn, 'events')),
  ];
};

/** Whoever hands a role to a service must be allowed to. */
const passing = (role: unknown, service: string): Need[] =>
  typeof role === 'string'
    ? [
        {
          action: 'iam:PassRole',
          resource: role,
          context: { 'iam:passedtoservice': [`${service}.amazonaws.com`] },
        },
      ]
    : [];

const scheduler: Derive = (input, operation, known, request) => {
  const [, kind, name] = request.path.split('/').map(decodeURIComponent);
  const group = text(input['GroupName'], new URLSearchParams(request.query).get('groupName') ?? 'default');
  const resource =
    kind === 'schedules'
      ? `schedule/${name === undefined ? '*' : group}/${name ?? '*'}`
      : `schedule-group/${name ?? '*'}`;
  return [
    { action: `scheduler:${operation}`, resource: arn(known, 'scheduler', resource) },
    ...passing(record(input['Target'])['RoleArn'], 'scheduler'),
  ];
};

const secretsmanager: Derive = (input, operation, known) => {
  const id = text(input['SecretId'] ?? input['Name'], '*');
  const full = id.startsWith('arn:') ? id : arn(known, 'secretsmanager', `secret:${id}`);
  return [{ action: `secretsmanager:${operation}`, resource: known.secretArn(id) ?? full }];
};

const smsVoice: Derive = (input, operation, known) => {
  const own = (value: unknown, kind: string): string[] =>
    typeof value !== 'string'
      ? []
      : [value.startsWith('arn:') ? value : arn(known, 'sms-voice', `${kind}/${value}`)];
  const origin = text(input['OriginationIdentity']);
  const kind = /^pool-/u.test(origin)
    ? 'pool'
    : /^(?:\+|phone-)/u.test(origin)
      ? 'phone-number'
      : 'sender-id';
  const named = [
    ...own(input['OriginationIdentity'], kind),
    ...own(input['ConfigurationSetName'], 'configuration-set'),
    ...own(input['OptOutListName'], 'opt-out-list'),
  ];
  return (named.length === 0 ? ['*'] : named).map((resource) => ({
    action: `sms-voice:${operation}`,
    resource,
  }));
};

/** Mail is from an identity, and goes through a configuration set where one is named. */
const ses: Derive = (input, operation, known) => {
  const raw = Buffer.from(text(input['RawMessage.Data']), 'base64').toString('latin1');
  const from = text(input['Source'], /^from:(.*)$/imu.exec(raw)?.[1] ?? '');
  const domain = /@([^>\s,]+)/u.exec(from)?.[1];
  const set = input['ConfigurationSetName'] ?? /^x-ses-configuration-set:\s*(\S+)/imu.exec(raw)?.[1];
  const named = [
    ...(domain === undefined ? [] : [arn(known, 'ses', `identity/${domain}`)]),
    ...(typeof set === 'string' ? [arn(known, 'ses', `configuration-set/${set}`)] : []),
  ];
  const resources = operation.startsWith('Send') && named.length > 0 ? named : ['*'];
  return resources.map((resource) => ({
    action: `ses:${operation}`,
    resource,
    context: { 'ses:fromaddress': [from.trim()] },
  }));
};

const sns: Derive = (input, operation) => [
  {
    action: `sns:${operation}`,
    resource: text(
      input['TargetArn'] ??
        input['TopicArn'] ??
        input['EndpointArn'] ??
        input['PlatformApplicationArn'] ??
        input['PhoneNumber'],
      '*',
    ),
  },
];

const objectActions: Readonly<Record<string, { readonly action: string; readonly key?: readonly string[] }>> =
  {
    GetObject: { action: 'GetObject', key: ['kms:Decrypt'] },
    HeadObject: { action: 'GetObject' },
    PutObject: { action: 'PutObject', key: ['kms:GenerateDataKey'] },
    CreateMultipartUpload: { action: 'PutObject', key: ['kms:GenerateDataKey'] },
    // The data key was made when the upload began; each part is written under it, so it is opened again.
    UploadPart: { action: 'PutObject', key: ['kms:Decrypt'] },
    CompleteMultipartUpload: { action: 'PutObject', key: ['kms:Decrypt'] },
    ListParts: { action: 'ListMultipartUploadParts' },
  };
const bucketActions: Readonly<Record<string, string>> = {
  ListObjects: 'ListBucket',
  ListObjectsV2: 'ListBucket',
  HeadBucket: 'ListBucket',
  ListObjectVersions: 'ListBucketVersions',
  ListMultipartUploads: 'ListBucketMultipartUploads',
};

const s3: Derive = (_input, _operation, known, request) => {
  const call = callOf(request);
  const operation = s3Operation(call);
  const bucket = `arn:aws:s3:::${call.bucket}`;
  const object = (name: string, key: string): Need[] => {
    const { action, key: uses = [] } = objectActions[name] ?? { action: name };
    return [
      { action: `s3:${action}`, resource: `${bucket}/${key}` },
      ...throughKey(known, 's3', bucket, uses),
    ];
  };
  if (operation === 'ListBuckets') return [{ action: 's3:ListAllMyBuckets', resource: '*' }];
  if (operation === 'DeleteObjects')
    return elementsIn(Buffer.from(call.body).toString(), 'Key').flatMap((key) => object('DeleteObject', key));
  const source = call.headers['x-amz-copy-source'];
  if (source !== undefined) {
    const [from = '', ...key] = decodeURIComponent(source).replace(/^\//u, '').split('/');
    return [
      ...object('PutObject', call.key),
      { action: 's3:GetObject', resource: `arn:aws:s3:::${from}/${key.join('/').replace(/\?.*$/u, '')}` },
      ...throughKey(known, 's3', `arn:aws:s3:::${from}`, ['kms:Decrypt']),
    ];
  }
  if (call.key !== '') return object(operation, call.key);
  const prefix = call.query.get('prefix');
  return [
    {
      action: `s3:${bucketActions[operation] ?? operation}`,
      resource: bucket,
      context: prefix === null ? {} : { 's3:prefix': [prefix] },
    },
  ];
};

const derivations: Readonly<Record<string, Derive>> = {
  dynamodb,
  sqs,
  events,
  scheduler,
  secretsmanager,
  ses,
  sns,
  s3,
  'sms-voice': smsVoice,
};

/** The actions and resources that a request must be allowed, all of them. */
export const needsOf = (
  service: string,
  request: AwsRequest,
  operation: string,
  known: KnownResources,
): Need[] => {
  const derive = derivations[service];
  if (derive === undefined) return [{ action: `${service}:${operation}`, resource: '*' }];
  return derive(service === 's3' ? {} : inputOf(request), operation, known, request);
};

const inputOf = (request: AwsRequest): Input => {
  if (jsonOperation(request) === '' && queryOperation(request) !== '')
    return Object.fromEntries(new URLSearchParams(Buffer.from(request.body).toString()));
  try {
    return record(JSON.parse(Buffer.from(request.body).toString()));
  } catch {
    // The service will say what is wrong with it; until then it names nothing.
    return {};
  }
};
