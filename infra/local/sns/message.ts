import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';
import { structuresOf } from '../protocol/query.ts';

const LARGEST_BYTES = 256 * 1024;
const Structured = z.looseObject({ default: z.string() });

export const invalidParameter = (message: string): ServiceError =>
  new ServiceError('InvalidParameter', `Invalid parameter: ${message}`);

interface MessageAttribute {
  readonly Type: string;
  readonly Value: string;
}

/** A published message: its text, by protocol or platform where the publisher gives several, and its attributes. */
export interface Published {
  readonly subject: string | null;
  /** The message for one protocol (`sqs`, `lambda`) or platform (`GCM`, `APNS`). */
  readonly textFor: (transport: string) => string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
}

/** Parses and validates a `Publish` request. @throws ServiceError `InvalidParameter`. */
export const publishedOf = (input: URLSearchParams): Published => {
  const message = input.get('Message') ?? '';
  const subject = input.get('Subject');
  if (message === '') throw invalidParameter('Empty message');
  if (Buffer.byteLength(message) > LARGEST_BYTES) throw invalidParameter('Message too long');
  if (subject !== null && !/^[\x20-\x7e]{1,100}$/u.test(subject)) throw invalidParameter('Subject');
  const byTransport = input.get('MessageStructure') === 'json' ? structuredOf(message) : undefined;
  const attributes = structuresOf(input, 'MessageAttributes', 'entry').map((entry) => {
    const { Name = '', 'Value.DataType': Type = 'String' } = entry;
    return [Name, { Type, Value: entry['Value.StringValue'] ?? entry['Value.BinaryValue'] ?? '' }] as const;
  });
  return {
    subject,
    textFor: (transport) => {
      const own = byTransport?.[transport];
      return byTransport === undefined ? message : typeof own === 'string' ? own : byTransport.default;
    },
    attributes: Object.fromEntries(attributes),
  };
};

const structuredOf = (message: string): z.infer<typeof Structured> => {
  try {
    return Structured.parse(JSON.parse(message));
  } catch {
    throw invalidParameter('Message Structure - No default entry in JSON message body');
  }
};
