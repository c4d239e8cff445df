import * as z from 'zod';
import { Duration } from '../../../core/config/duration.ts';
import { faultKinds } from '../../sandbox/protocol/sandbox.ts';

const Fields = z.record(z.string(), z.json());
const byObject = <Act extends z.ZodType>(act: Act) =>
  z.record(z.string(), act).refine((objects) => Object.keys(objects).length === 1, {
    error: 'expected one object',
  });

/** Records that a CRM has before the first step, by CRM and object. */
export const CrmSeeds = z.record(z.string(), z.record(z.string(), z.array(Fields)));
export type CrmSeeds = z.output<typeof CrmSeeds>;

/** Somebody at work in a CRM, or something that is wrong with it. */
const CrmAct = z
  .strictObject({
    create: byObject(Fields).optional().describe('makes a record of an object'),
    update: byObject(z.strictObject({ where: Fields, set: Fields }))
      .optional()
      .describe('changes records'),
    delete: byObject(z.strictObject({ where: Fields }))
      .optional()
      .describe('deletes records'),
    merge: byObject(z.strictObject({ keep: Fields, other: Fields }))
      .optional()
      .describe('merges two records'),
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
