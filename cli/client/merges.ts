import * as z from 'zod';
import { type HubConnection, request } from './request.ts';

const Sourced = z.looseObject({ value: z.json(), from: z.string() });
const Summary = z.looseObject({ id: z.string(), identifiers: z.array(z.string()) });

/** What a merge would make of two customers; `from` says of which of them a value is. */
const MergePreview = z.looseObject({
  keep: Summary,
  other: Summary,
  merged: z.looseObject({
    fields: z.record(z.string(), Sourced),
    identifiers: z.array(Sourced),
    consent: z.record(z.string(), Sourced),
    closed: z.array(Sourced),
  }),
  /** Which rules it would override. */
  warning: z.string().optional(),
  crm: z.array(z.looseObject({ crm: z.string(), contact: z.string(), of: z.string(), effect: z.string() })),
  guests: z.array(z.looseObject({ id: z.string(), claimed: z.array(z.string()), of: z.string() })),
});
export type MergePreview = z.infer<typeof MergePreview>;

/** `keep`, `other`: identifiers. Writes nothing. */
export const previewMerge = (hub: HubConnection, keep: string, other: string): Promise<MergePreview> =>
  request(hub, { method: 'GET', path: ['merges', 'preview'], query: { keep, other } }, MergePreview);
