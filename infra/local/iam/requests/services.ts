import type { AccessRequest } from '../policy.ts';
import { arn, type Derive, record, records, text, throughKey } from './derive.ts';

/** A batch needs the permission of its single operation. */
export const sqs: Derive = (input, operation, known, request) => {
  const url = text(input['QueueUrl'], request.path);
  const name = url.split('/').at(-1) || text(input['QueueName'], '*');
  return [{ action: `sqs:${operation.replace(/Batch$/u, '')}`, resource: arn(known, 'sqs', name) }];
};

export const events: Derive = (input, operation, known) => {
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
      // Creating an archive needs access to its bus and to its key too.
      ...(operation === 'CreateArchive' ? [input['EventSourceArn'], input['KmsKeyIdentifier']] : [])
        .filter((resource) => typeof resource === 'string')
        .map((resource) => ({ action: `events:${operation}`, resource })),
    ];
  if (operation === 'ListRules') return [{ action: 'events:ListRules', resource: '*' }];
  const bus = busOf(input['EventBusName']);
  const rule = text(input['Rule'] ?? input['Name'], '*');
  const resource = arn(known, 'events', `rule/${bus === 'default' ? '' : `${bus}/`}${rule}`);
  return [
    { action: `events:${operation}`, resource },
    ...[input, ...records(input['Targets'])].flatMap(({ RoleArn }) => passRole(RoleArn, 'events')),
  ];
};

/** Passing a role to a service needs `iam:PassRole`. */
const passRole = (role: unknown, service: string): AccessRequest[] =>
  typeof role === 'string'
    ? [
        {
          action: 'iam:PassRole',
          resource: role,
          context: { 'iam:passedtoservice': [`${service}.amazonaws.com`] },
        },
      ]
    : [];

export const scheduler: Derive = (input, operation, known, request) => {
  const [, kind, name] = request.path.split('/').map(decodeURIComponent);
  const group = text(input['GroupName'], new URLSearchParams(request.query).get('groupName') ?? 'default');
  const resource =
    kind === 'schedules'
      ? `schedule/${name === undefined ? '*' : group}/${name ?? '*'}`
      : `schedule-group/${name ?? '*'}`;
  return [
    { action: `scheduler:${operation}`, resource: arn(known, 'scheduler', resource) },
    ...passRole(record(input['Target'])['RoleArn'], 'scheduler'),
  ];
};

export const secretsmanager: Derive = (input, operation, known) => {
  const id = text(input['SecretId'] ?? input['Name'], '*');
  const full = id.startsWith('arn:') ? id : arn(known, 'secretsmanager', `secret:${id}`);
  const name = input['Name'];
  return [
    {
      ...{ action: `secretsmanager:${operation}`, resource: known.secretArn(id) ?? full },
      ...(typeof name === 'string' && { context: { 'secretsmanager:name': [name] } }),
    },
  ];
};

export const smsVoice: Derive = (input, operation, known) => {
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

/** Sending needs access to the identity of the sender, and to the configuration set. */
export const ses: Derive = (input, operation, known) => {
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
    ...(operation.startsWith('Send') && { context: { 'ses:fromaddress': [from.trim()] } }),
  }));
};

/** The operations about a topic; SNS checks the others (devices, platform applications, lists) against no resource. */
const onTopic = /^(?:Publish|Subscribe|ConfirmSubscription|DeleteTopic|(?:Get|Set)TopicAttributes)/u;

/** Publishing to a topic under a customer-managed key needs that key. */
export const sns: Derive = (input, operation, known) => {
  const resource = text(input['TopicArn'] ?? input['TargetArn'] ?? input['PhoneNumber'], '*');
  const isPublish = operation.startsWith('Publish');
  return [
    { action: `sns:${operation.replace(/Batch$/u, '')}`, resource: onTopic.test(operation) ? resource : '*' },
    ...(isPublish ? throughKey(known, 'sns', resource, ['kms:GenerateDataKey', 'kms:Decrypt']) : []),
  ];
};
