import type { Events } from '../eventbridge/index.ts';
import type { Invocations } from '../lambda/invocations.ts';
import { ServiceError } from '../protocol/json.ts';
import type { AwsService, Delivery } from '../protocol/service.ts';
import type { Sns } from '../sns/index.ts';
import { textAttributes } from '../sqs/content.ts';
import type { Sqs } from '../sqs/index.ts';

/** The services that receive deliveries. */
export interface DeliveryTargets {
  queues?: Pick<Sqs, 'send'>;
  buses?: Pick<Events, 'accept'>;
  topics?: Pick<Sns, 'publish'>;
  functions?: Pick<Invocations, 'accept'>;
  objects?: Pick<AwsService, 'handle'>;
}

/**
 * Delivers a payload to the resource of its ARN.
 *
 * @throws Error if no target serves the ARN, or the target rejects the payload.
 */
export const deliverTo = async (
  { queues, buses, topics, functions, objects }: DeliveryTargets,
  { arn, payload, attributes = {}, trace }: Delivery,
): Promise<void> => {
  if (arn.includes(':sqs:') && queues) queues.send(arn, payload, textAttributes(attributes), trace);
  else if (arn.includes(':event-bus/') && buses) buses.accept(arn, JSON.parse(payload));
  else if (arn.includes(':sns:') && topics) await topics.publish(arn, payload);
  else if (arn.includes(':lambda:') && functions) functions.accept(arn, payload, trace);
  else if (arn.includes(':s3:') && objects) await putObject(objects, arn, payload);
  else throw new Error(`No service that runs here serves ${arn}.`);
};

const putObject = async (
  objects: Pick<AwsService, 'handle'>,
  arn: string,
  payload: string,
): Promise<void> => {
  const request = {
    ...{ method: 'PUT', path: arn.replace('arn:aws:s3:::', '/'), query: '', headers: {} },
    body: Buffer.from(payload, 'base64'),
  };
  const { status } = await objects.handle(request, { accessKeyId: '-', arn });
  if (status !== 200) throw new ServiceError('NoSuchBucket', `${arn} cannot be written.`, 404);
};
