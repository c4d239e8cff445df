import * as z from 'zod';
import { CustomField, CustomObject } from './schema/metadata.ts';

/** A file with what an administrator has prepared in an org. */
export const Setup = z.strictObject({
  customObjects: z.array(CustomObject).default([]),
  customFields: z.array(CustomField).default([]),
  /** Records that are there from the start, each as often as `count` says. */
  records: z
    .array(
      z.strictObject({
        object: z.string(),
        fields: z.record(z.string(), z.unknown()).default({}),
        count: z.number().int().positive().default(1),
      }),
    )
    .default([]),
});
export type Setup = z.output<typeof Setup>;
