import { createHash } from 'node:crypto';
import type { SQSMessageAttributes } from 'aws-lambda';
import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';
import { MESSAGE_LIMIT } from './attributes.ts';
import type { StoredMessage } from './messages.ts';

export const MessageAttributes = z.record(
  z.string(),
  z.looseObject({
    DataType: z.string(),
    StringValue: z.string().optional(),
    BinaryValue: z.string().optional(),
  }),
);
export type MessageAttributes = z.infer<typeof MessageAttributes>;
const Texts = z.record(z.string(), z.string());

/** Message attributes of texts; empty texts are left out. */
export const textAttributes = (texts: Readonly<Record<string, string>>): MessageAttributes =>
  Object.fromEntries(
    Object.entries(texts)
      .filter(([, text]) => text !== '')
      .map(([name, StringValue]) => [name, { DataType: 'String', StringValue }]),
  );

/** The characters of XML 1.0; SQS refuses all others. */
const ALLOWED = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;
const MOST_ATTRIBUTES = 10;

/** The size of a message in bytes: its body, and each attribute's name, type and value. */
export const contentSize = (body: string, attributes: MessageAttributes): number =>
  Object.entries(attributes).reduce(
    (size, [name, value]) => size + Buffer.byteLength(name + value.DataType) + bytesOf(value).byteLength,
    Buffer.byteLength(body),
  );

/**
 * Validates a message as SQS does.
 *
 * @throws ServiceError `InvalidMessageContents` or `InvalidParameterValue`.
 */
export const checkContent = (body: string, attributes: MessageAttributes, largest: number): void => {
  const values = Object.values(attributes).map(({ StringValue = '' }) => StringValue);
  if (!ALLOWED.test(body) || !values.every((value) => ALLOWED.test(value))) {
    throw new ServiceError(
      'InvalidMessageContents',
      'Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF',
    );
  }
  const limit = Math.min(MESSAGE_LIMIT, largest);
  if (contentSize(body, attributes) > limit)
    throw invalid(`One or more parameters are invalid. Reason: Message must be shorter than ${limit} bytes.`);
  if (values.length > MOST_ATTRIBUTES)
    throw invalid(`Number of message attributes [${values.length}] exceeds the allowed maximum [10].`);
  for (const [name, attribute] of Object.entries(attributes)) checkAttribute(name, attribute);
};

const checkAttribute = (name: string, attribute: MessageAttributes[string]): void => {
  const rightName = /^[A-Za-z0-9_.-]{1,256}$/u.test(name) && !/^(?:aws|amazon)\.|^\.|\.$|\.\./iu.test(name);
  if (!rightName) throw invalid(`Message (user) attribute name '${name}' is invalid.`);
  const type = /^(String|Number|Binary)(?:\..+)?$/u.exec(attribute.DataType)?.[1];
  if (type === undefined) {
    throw invalid(
      `The type of message (user) attribute '${name}' is invalid. You must use only the following supported type prefixes: Binary, Number, String.`,
    );
  }
  const value = type === 'Binary' ? attribute.BinaryValue : attribute.StringValue;
  if (value === undefined || value === '') {
    throw invalid(`The message (user) attribute '${name}' must contain a non-empty value of type '${type}'.`);
  }
  if (type === 'Number' && !/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/u.test(value))
    throw invalid(`Can't cast the value of message (user) attribute '${name}' to a number.`);
};

const invalid = (message: string): ServiceError => new ServiceError('InvalidParameterValue', message);

const bytesOf = ({ StringValue, BinaryValue }: MessageAttributes[string]): Buffer =>
  BinaryValue === undefined ? Buffer.from(StringValue ?? '') : Buffer.from(BinaryValue, 'base64');

export const bodyMd5 = (body: string): string => createHash('md5').update(body).digest('hex');

/** The MD5 digest of message attributes, which clients verify: sorted by name, each part after its length. */
export const attributesMd5 = (attributes: MessageAttributes): string => {
  const hash = createHash('md5');
  const part = (bytes: Uint8Array): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.byteLength);
    hash.update(length).update(bytes);
  };
  const byName = Object.entries(attributes).sort(([one], [other]) => (one < other ? -1 : 1));
  for (const [name, attribute] of byName) {
    part(Buffer.from(name));
    part(Buffer.from(attribute.DataType));
    hash.update(Buffer.of(attribute.BinaryValue === undefined ? 1 : 2));
    part(bytesOf(attribute));
  }
  return hash.digest('hex');
};

export const attributesOf = (message: StoredMessage): MessageAttributes =>
  message.attributes === '{}' ? {} : MessageAttributes.parse(JSON.parse(message.attributes));

/** The system attributes of a received message. */
export const systemAttributesOf = (message: StoredMessage) => ({
  SenderId: message.sender,
  SentTimestamp: String(message.sentAt),
  ApproximateReceiveCount: String(message.receives),
  ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt ?? message.sentAt),
  ...(message.system === '{}' ? {} : Texts.parse(JSON.parse(message.system))),
});

/** Message attributes in the form of a Lambda event. */
export const lambdaAttributes = (attributes: MessageAttributes): SQSMessageAttributes =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      {
        ...(StringValue !== undefined && { stringValue: StringValue }),
        ...(BinaryValue !== undefined && { binaryValue: BinaryValue }),
        stringListValues: [],
        binaryListValues: [],
        dataType: DataType,
      },
    ]),
  );
