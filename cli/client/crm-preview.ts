import * as z from 'zod';
import { type HubConnection, request } from './request.ts';

const FieldPreview = z.looseObject({
  field: z.string(),
  write: z.string(),
  rule: z.string(),
  why: z.string(),
  ours: z.json().optional(),
  written: z.json().optional(),
  theirs: z.json().optional(),
  at: z.string().optional(),
});
export type FieldPreview = z.infer<typeof FieldPreview>;

const CrmPreview = z.looseObject({
  crm: z.string(),
  customer: z.string(),
  object: z.string(),
  status: z.string(),
  says: z.string(),
  record: z.string().optional(),
  fields: z.array(FieldPreview),
});
export type CrmPreview = z.infer<typeof CrmPreview>;

/** What the hub would write to a CRM for a customer now. */
export const previewCrm = (hub: HubConnection, customer: string, crm: string): Promise<CrmPreview> =>
  request(hub, { method: 'GET', path: ['customers', customer, 'crm', crm] }, CrmPreview);
