import { expect, it } from 'vitest';
import { events } from '../../infra/local/eventbridge/index.ts';
import { sentMessages } from '../../infra/local/inbox/sent-messages.ts';
import { scheduler } from '../../infra/local/scheduler/index.ts';
import { secretsManager } from '../../infra/local/secrets-manager/index.ts';
import { sns } from '../../infra/local/sns/index.ts';
import { serviceContext } from '../support/service-context.ts';
import { hasBoto3, runBoto3 } from './boto3.ts';

const queue = 'arn:aws:sqs:eu-south-1:123456789012:work';

it.skipIf(!hasBoto3)('EventBridge serves a client of another language', async () => {
  const printed = await runBoto3(
    events(serviceContext()),
    'events',
    `
bus = client.create_event_bus(Name='hub')['EventBusArn']
client.put_rule(Name='all', EventBusName='hub', EventPattern=json.dumps({'source': ['shop']}))
client.put_targets(Rule='all', EventBusName='hub', Targets=[{'Id': 'q', 'Arn': '${queue}',
    'InputTransformer': {'InputPathsMap': {'n': '$.detail.n'}, 'InputTemplate': '{"n":<n>}'}}])
client.create_archive(ArchiveName='kept', EventSourceArn=bus, RetentionDays=3)
put = client.put_events(Entries=[{'Source': 'shop', 'DetailType': 'o', 'Detail': '{"n":1}', 'EventBusName': 'hub'},
    {'Source': 'shop', 'DetailType': 'o', 'Detail': 'x', 'EventBusName': 'hub'}])
try: client.put_rule(Name='bad', EventBusName='hub', EventPattern='{"source":"x"}')
except client.exceptions.InvalidEventPatternException as error: code = error.response['Error']['Code']
print(json.dumps([put['FailedEntryCount'], put['Entries'][1]['ErrorCode'], code,
    client.describe_archive(ArchiveName='kept')['EventCount'],
    client.list_rule_names_by_target(TargetArn='${queue}', EventBusName='hub')['RuleNames']]))
`,
  );
  expect(printed).toEqual([1, 'MalformedDetail', 'InvalidEventPatternException', 1, ['all']]);
});

it.skipIf(!hasBoto3)('Scheduler serves a client of another language', async () => {
  const printed = await runBoto3(
    scheduler(serviceContext()),
    'scheduler',
    `
client.create_schedule_group(Name='waits', Tags=[{'Key': 'hub', 'Value': 'acme'}])
target = {'Arn': '${queue}', 'RoleArn': 'arn:aws:iam::123456789012:role/timers', 'Input': '{}'}
for name in ['a', 'b']:
    client.create_schedule(Name=name, GroupName='waits', ScheduleExpression='cron(0 9 ? * MON-FRI *)',
        ScheduleExpressionTimezone='Europe/Rome', FlexibleTimeWindow={'Mode': 'OFF'}, Target=target)
pages = client.get_paginator('list_schedules').paginate(GroupName='waits', PaginationConfig={'PageSize': 1})
names = [one['Name'] for page in pages for one in page['Schedules']]
try: client.get_schedule(Name='none')
except client.exceptions.ResourceNotFoundException as error: code = error.response['Error']['Code']
print(json.dumps([names, client.get_schedule(Name='a', GroupName='waits')['ScheduleExpressionTimezone'], code]))
`,
  );
  expect(printed).toEqual([['a', 'b'], 'Europe/Rome', 'ResourceNotFoundException']);
});

it.skipIf(!hasBoto3)('Secrets Manager serves a client of another language', async () => {
  const printed = await runBoto3(
    secretsManager(serviceContext()),
    'secretsmanager',
    `
arn = client.create_secret(Name='acme/api', SecretString='one')['ARN']
client.put_secret_value(SecretId=arn, SecretString='two')
previous = client.get_secret_value(SecretId='acme/api', VersionStage='AWSPREVIOUS')['SecretString']
client.put_secret_value(SecretId='acme/api', SecretBinary=b'\\x00\\xff')
binary = list(client.get_secret_value(SecretId='acme/api')['SecretBinary'])
client.delete_secret(SecretId='acme/api', RecoveryWindowInDays=7)
try: client.get_secret_value(SecretId='acme/api')
except client.exceptions.InvalidRequestException as error: code = error.response['Error']['Code']
client.restore_secret(SecretId='acme/api')
names = [one['Name'] for one in client.list_secrets(Filters=[{'Key': 'name', 'Values': ['acme/']}])['SecretList']]
print(json.dumps([previous, binary, code, names]))
`,
  );
  expect(printed).toEqual(['one', [0, 255], 'InvalidRequestException', ['acme/api']]);
});

it.skipIf(!hasBoto3)('SNS serves a client of another language', async () => {
  const around = serviceContext();
  const printed = await runBoto3(
    sns(around, sentMessages(around.db)),
    'sns',
    `
topic = client.create_topic(Name='news', Attributes={'SignatureVersion': '2'})['TopicArn']
subscription = client.subscribe(TopicArn=topic, Protocol='sqs', Endpoint='${queue}',
    Attributes={'RawMessageDelivery': 'true'}, ReturnSubscriptionArn=True)['SubscriptionArn']
client.publish(TopicArn=topic, Message='hi', MessageAttributes={'k': {'DataType': 'String', 'StringValue': 'v'}})
batch = client.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[{'Id': 'a', 'Message': 'x'}])
attributes = client.get_topic_attributes(TopicArn=topic)['Attributes']
try: client.publish(TopicArn=topic + 'x', Message='hi')
except client.exceptions.NotFoundException as error: code = error.response['Error']['Code']
print(json.dumps([len(batch['Successful']), attributes['SignatureVersion'], attributes['SubscriptionsConfirmed'], code,
    client.get_subscription_attributes(SubscriptionArn=subscription)['Attributes']['RawMessageDelivery']]))
`,
  );
  expect(printed).toEqual([1, '2', '1', 'NotFound', 'true']);
});
