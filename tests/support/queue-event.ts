import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';

/** A message as SQS hands it to a function. */
export const queueRecord = (
  body: object | string,
  {
    id = 'm',
    tries = 1,
    attributes = {},
  }: { id?: string; tries?: number; attributes?: Readonly<Record<string, string>> } = {},
): SQSRecord => ({
  messageId: id,
  receiptHandle: id,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  attributes: {
    ApproximateReceiveCount: String(tries),
    SentTimestamp: '0',
    SenderId: 'x',
    ApproximateFirstReceiveTimestamp: '0',
  },
  messageAttributes: Object.fromEntries(
    Object.entries(attributes).map(([name, stringValue]) => [name, { stringValue, dataType: 'String' }]),
  ),
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: 'arn',
  awsRegion: 'eu-south-1',
});

export const queueEvent = (...Records: SQSRecord[]): SQSEvent => ({ Records });

/** What Lambda says of an invocation, as far as a handler reads it. */
export const invocation = { awsRequestId: 'request-1', functionName: 'f' } as Context;
