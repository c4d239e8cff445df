import { expect, it } from 'vitest';
import { sqs } from '../../../infra/local/sqs/index.ts';
import { serviceContext } from '../../support/service-context.ts';
import { hasBoto3, runBoto3 } from '../boto3.ts';

it.skipIf(!hasBoto3)(
  'serves a client of another language, which checks digests and reads old error names',
  async () => {
    const printed = await runBoto3(
      sqs(serviceContext()),
      'sqs',
      `
dead = client.create_queue(QueueName='dead')['QueueUrl']
arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
url = client.create_queue(QueueName='work', Attributes={
    'RedrivePolicy': json.dumps({'deadLetterTargetArn': arn, 'maxReceiveCount': 3})})['QueueUrl']
client.send_message(QueueUrl=url, MessageBody='héllo', MessageAttributes={
    'n': {'DataType': 'Number', 'StringValue': '7'}, 'b': {'DataType': 'Binary', 'BinaryValue': b'\\x00\\xff'}})
client.send_message_batch(QueueUrl=url, Entries=[{'Id': str(i), 'MessageBody': str(i)} for i in range(3)])
messages = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10,
    MessageAttributeNames=['All'], MessageSystemAttributeNames=['All'])['Messages']
client.delete_message(QueueUrl=url, ReceiptHandle=messages[0]['ReceiptHandle'])
client.change_message_visibility(QueueUrl=url, ReceiptHandle=messages[1]['ReceiptHandle'], VisibilityTimeout=0)
again = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)['Messages']
codes = []
for call in [lambda: client.get_queue_url(QueueName='none'), lambda: client.send_message(QueueUrl=url, MessageBody='\\x00'),
             lambda: client.receive_message(QueueUrl=url, MaxNumberOfMessages=11)]:
    try: call()
    except client.exceptions.ClientError as error: codes.append(error.response['Error']['Code'])
try: client.get_queue_url(QueueName='none')
except client.exceptions.QueueDoesNotExist: codes.append('typed')
print(json.dumps({'bodies': [m['Body'] for m in messages], 'number': messages[0]['MessageAttributes']['n']['StringValue'],
    'binary': list(messages[0]['MessageAttributes']['b']['BinaryValue']),
    'again': [m['Body'] for m in again], 'sources': client.list_dead_letter_source_queues(QueueUrl=dead)['queueUrls'],
    'codes': codes}))
`,
    );
    expect(printed).toEqual({
      bodies: ['héllo', '0', '1', '2'],
      number: '7',
      binary: [0, 255],
      again: ['0'],
      sources: ['https://sqs.eu-south-1.amazonaws.com/123456789012/work'],
      codes: [
        'AWS.SimpleQueueService.NonExistentQueue',
        'InvalidMessageContents',
        'InvalidParameterValue',
        'typed',
      ],
    });
  },
);
