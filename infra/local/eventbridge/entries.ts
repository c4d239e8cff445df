import * as z from 'zod';
import type { BusEvent } from './store.ts';

/** An entry of PutEvents. */
export const Entry = z.strictObject({
  Source: z.string().optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  EventBusName: z.string().default('default'),
  Time: z.number().optional(),
  Resources: z.array(z.string()).default([]),
  TraceHeader: z.string().optional(),
});
export type Entry = z.infer<typeof Entry>;

/** The part of an event that its sender provides. */
export type EntryEvent = Pick<BusEvent, 'source' | 'detail-type' | 'resources' | 'detail'>;

const TIME_BYTES = 14;

/** The size of an entry in bytes: 14 for its time, and its texts in UTF-8. */
export const entrySize = ({ Time, Source = '', DetailType = '', Detail = '', Resources }: Entry): number =>
  (Time === undefined ? 0 : TIME_BYTES) +
  [Source, DetailType, Detail, ...Resources].reduce((sum, text) => sum + Buffer.byteLength(text), 0);

/** The event of an entry, or its error; an invalid entry does not fail the others. */
export const eventOfEntry = (
  entry: Entry,
): EntryEvent | { readonly ErrorCode: string; readonly ErrorMessage: string } => {
  const { Source = '', DetailType = '', Detail = '', Resources } = entry;
  for (const name of ['Source', 'DetailType', 'Detail'] as const) {
    if (!entry[name])
      return {
        ErrorCode: 'InvalidArgument',
        ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
      };
  }
  if (Source.startsWith('aws.'))
    return {
      ErrorCode: 'NotAuthorizedForSourceException',
      ErrorMessage: 'Not authorized for the source.',
    };
  const malformed = { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  try {
    const detail: unknown = JSON.parse(Detail);
    if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) return malformed;
    return { source: Source, 'detail-type': DetailType, resources: Resources, detail };
  } catch {
    return malformed;
  }
};
