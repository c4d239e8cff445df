import * as z from 'zod';
import type { Staff } from './sandbox.ts';

const Fields = z.record(z.string(), z.json());
const byObject = <Act extends z.ZodType>(act: Act) =>
  z.record(z.string(), act).refine((objects) => Object.keys(objects).length === 1, {
    error: 'expected one object',
  });

/** What somebody does in the pages of a CRM, each by its object, such as `update: { contacts: { where: …, set: … } }`. */
export const staffActs = {
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
};

/** The body of `POST /sandbox/staff`. */
export const StaffActs = z.strictObject(staffActs);
export type StaffActs = z.output<typeof StaffActs>;

/** Does it. Throws `Error` where no record, or more than one, is as described. */
export const actAsStaff = (staff: Staff, acts: StaffActs): void => {
  for (const [object, fields] of Object.entries(acts.create ?? {})) staff.create(object, fields);
  for (const [object, { where, set }] of Object.entries(acts.update ?? {})) staff.update(object, where, set);
  for (const [object, { where }] of Object.entries(acts.delete ?? {})) staff.delete(object, where);
  for (const [object, { keep, other }] of Object.entries(acts.merge ?? {})) staff.merge(object, keep, other);
};
