import * as z from 'zod';
import type { EventPatterns } from '../eventbridge/pattern.ts';
import { ServiceError } from '../protocol/json.ts';
import { invalidParameter, type Published } from './message.ts';
import type { Subscription } from './topic-store.ts';

const Redrive = z.object({ deadLetterTargetArn: z.string() });
const Body = z.record(z.string(), z.unknown());

/** The ARN of the dead-letter queue in a `RedrivePolicy`. */
export const deadLetterOf = (policy: string | undefined): string | undefined =>
  policy === undefined ? undefined : Redrive.parse(JSON.parse(policy)).deadLetterTargetArn;

/** @throws ServiceError `InvalidParameter` for an attribute that is invalid or that the local SNS does not implement. */
export const expectValidAttributes = (
  attributes: Readonly<Record<string, string>>,
  patterns: EventPatterns,
): void => {
  for (const [name, value] of Object.entries(attributes)) {
    try {
      if (name === 'FilterPolicy') patterns.validate(JSON.parse(value));
      else if (name === 'RedrivePolicy') deadLetterOf(value);
      else if (name !== 'RawMessageDelivery' && name !== 'FilterPolicyScope')
        throw invalidParameter(`AttributeName Reason: the local SNS does not support the attribute ${name}`);
    } catch (error) {
      if (error instanceof ServiceError) throw error;
      throw invalidParameter(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
};

/** Whether a message passes a subscription's filter policy, by its attributes or by its body. */
export const passesFilter = (
  { attributes }: Subscription,
  published: Published,
  patterns: EventPatterns,
): boolean => {
  const policy = attributes['FilterPolicy'];
  if (policy === undefined) return true;
  const pattern: unknown = JSON.parse(policy);
  if (attributes['FilterPolicyScope'] === 'MessageBody') {
    const body = Body.safeParse(parsedOr(undefined, published.textFor('default')));
    return body.success && patterns.matches(pattern, body.data);
  }
  const values = Object.entries(published.attributes).map(([name, { Type, Value }]) => [
    name,
    Type === 'Number' ? Number(Value) : Type === 'String.Array' ? parsedOr([], Value) : Value,
  ]);
  return patterns.matches(pattern, Object.fromEntries(values));
};

const parsedOr = (otherwise: unknown, text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return otherwise;
  }
};
