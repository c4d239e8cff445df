import { createHash } from 'node:crypto';
import * as z from 'zod';
import { Instant } from '../interaction/instant.ts';

/**
 * What a CRM reports about one of its contacts. It holds no values: what acts on it reads the record. `fields`: those
 * that changed, each with the digest of its value, by which the hub recognises what it wrote itself.
 */
export const CrmChange = z.strictObject({
  object: z.string(),
  /** The CRM's id of the record; of a merge, that of the record that remains. */
  id: z.string(),
  act: z.enum(['created', 'changed', 'deleted', 'erased', 'merged', 'restored']),
  at: Instant.optional(),
  /** Set if the CRM says that the hub itself made the change. */
  own: z.literal(true).optional(),
  fields: z.record(z.string(), z.string()).default({}),
  /** Set if the hub has asked for it, or the CRM reports more than changes: `fields` may then be as they were. */
  asked: z.literal(true).optional(),
  /** Of a merge, the ids that the records had before. */
  merged: z.array(z.string()).default([]),
});
export type CrmChange = z.infer<typeof CrmChange>;

/** The digest of a field's value: equal for values that a CRM holds equal. Empty values have none. */
export const valueDigest = (value: unknown): string => {
  const text = comparable(value);
  return text === '' ? '' : createHash('sha256').update(text).digest('base64url').slice(0, 22);
};

/** A value as text, so that what a CRM writes differently but holds equal is equal: numbers and texts, blanks at the ends. */
export const comparable = (value: unknown): string =>
  value === null || value === undefined
    ? ''
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value).trim();
