import * as z from 'zod';
import { Duration } from '../../../core/config/duration.ts';
import { faultKinds } from '../../sandbox/protocol/sandbox.ts';
import { staffActs } from '../../sandbox/protocol/staff.ts';

/** Records that a CRM has before the first step, by CRM and object. */
export const CrmSeeds = z.record(z.string(), z.record(z.string(), z.array(z.record(z.string(), z.json()))));
export type CrmSeeds = z.output<typeof CrmSeeds>;

/** Somebody at work in a CRM, or something that is wrong with it. */
const CrmAct = z
  .strictObject({
    ...staffActs,
    fault: z
      .strictObject({
        kind: z.enum(faultKinds),
        object: z.string().optional(),
        field: z.string().optional(),
        for: Duration.optional().describe('how long; otherwise to the end'),
      })
      .optional()
      .describe('what goes wrong in the CRM'),
  })
  .refine((act) => Object.values(act).filter((one) => one !== undefined).length === 1, {
    error: 'expected exactly one of create, update, delete, merge and fault',
  });
export const CrmStep = z
  .record(z.string(), CrmAct)
  .refine((crms) => Object.keys(crms).length === 1, { error: 'expected one CRM' });
export type CrmStep = z.output<typeof CrmStep>;
