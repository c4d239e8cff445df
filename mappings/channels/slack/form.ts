// https://docs.slack.dev/reference/views/view-payloads
// Each type of field has its answer in a member of its own: `value`, `selected_option`, `selected_users`, `selected_time` and
// so on. A field that was left empty has null there.

import * as z from 'zod';
import { defined } from '../../../core/formats/payload.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';
import { textOfRichText } from './rich-text.ts';

const Text = z.string().optional();

export const File = z.looseObject({
  name: Text,
  mimetype: Text,
  size: z.int().nonnegative().optional(),
  url_private_download: Text,
  url_private: Text,
});
type Attachments = NonNullable<DecodedInteraction['attachments']>;

export const filesOf = (files: readonly z.infer<typeof File>[]): Attachments =>
  files.map(({ name, mimetype, size, url_private_download, url_private }) => {
    const url = url_private_download ?? url_private;
    return {
      ...defined({ name, contentType: mimetype, size, url }),
      ...(url !== undefined && { keep: true as const }),
    };
  });

const Plain = z.union([z.string(), z.number(), z.boolean()]);
/** An option of a menu, by its value; an answer of another type as it is. */
const Chosen = z.union([Plain, z.looseObject({ value: Plain }).transform(({ value }) => value)]);
const Answer = z.union([Chosen, z.array(Chosen)]);
type Answer = z.infer<typeof Answer>;

const Field = z.looseObject({ rich_text_value: z.unknown().optional(), files: z.array(File).optional() });
type Field = z.infer<typeof Field>;

/** The answer in a field of any type; undefined if it was left empty. */
export const answerOf = (field: Field): Answer | undefined => {
  if (field.rich_text_value) return textOfRichText(field.rich_text_value);
  if (field.files) return field.files.flatMap(({ name }) => name ?? []);
  for (const [name, value] of Object.entries(field)) {
    const answer = name === 'value' || name.startsWith('selected_') ? Answer.safeParse(value) : undefined;
    if (answer?.success === true) return answer.data;
  }
  return undefined;
};

/** The fields of a form, by block and action. */
export const Values = z.record(z.string(), z.record(z.string(), Field));

/** The answers by the name of their field, with the block before it where two blocks have fields of the same name; and the files. */
export const formOf = (
  values: z.infer<typeof Values>,
): { readonly fields: Readonly<Record<string, Answer>>; readonly attachments: Attachments } => {
  const fields = new Map<string, Answer>();
  const all = Object.entries(values).flatMap(([block, inner]) =>
    Object.entries(inner).map(([name, field]) => ({ block, name, field })),
  );
  for (const { block, name, field } of all) {
    const answer = answerOf(field);
    if (answer !== undefined) fields.set(fields.has(name) ? `${block}.${name}` : name, answer);
  }
  return {
    fields: Object.fromEntries(fields),
    attachments: all.flatMap(({ field }) => filesOf(field.files ?? [])),
  };
};
