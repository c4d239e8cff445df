import * as z from 'zod';
import { BusEvent } from '../../../functions/contracts/events/catalogue.ts';
import type { AwsRequest } from '../../local/protocol/service.ts';
import type { Cloud } from '../../local/runtime/cloud.ts';

const PutEvents = z.looseObject({
  Entries: z.array(z.looseObject({ Source: z.string(), DetailType: z.string(), Detail: z.string() })),
});

/**
 * A cloud whose bus accepts only the events of the catalogue. A function that puts another event gets an error, so that the
 * scenario or the test fails.
 */
export const withCheckedEvents = (cloud: Pick<Cloud, 'aws'>): Pick<Cloud, 'aws'> => ({
  async aws(request) {
    expectKnownEvents(request);
    return cloud.aws(request);
  },
});

const expectKnownEvents = ({ headers, body }: AwsRequest): void => {
  if (headers['x-amz-target'] !== 'AWSEvents.PutEvents') return;
  const { Entries } = PutEvents.parse(JSON.parse(Buffer.from(body).toString()));
  for (const { Source, DetailType: type, Detail } of Entries) {
    if (Source !== 'tributary') continue;
    const read = BusEvent.safeParse({ type, detail: JSON.parse(Detail), at: new Date(0).toISOString() });
    if (read.success) continue;
    const message = `The event ${type} does not fit functions/contracts/events/catalogue.ts.\n${z.prettifyError(read.error)}`;
    console.error(message);
    throw new Error(message);
  }
};
