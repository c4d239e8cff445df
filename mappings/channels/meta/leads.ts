import * as z from 'zod';
import { defined, instantOf, parseJson, parseMailboxes, urlPart } from '../../../core/formats/payload.ts';
import { phoneIdentifiers } from '../../../core/identity/rules.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';
import type { Content } from '../../../core/webhooks/channel.ts';

// The webhook of Lead Ads names a lead and nothing else: the answers, and with them who the person is, are fetched. Only
// the names that Meta fills in itself tell of the person; an own question may ask for somebody else's address.

const Id = z.union([z.string().min(1), z.number()]).transform(String);

const Lead = z.looseObject({
  leadgen_id: Id,
  form_id: Id.optional(),
  page_id: Id.optional(),
  ad_id: Id.optional(),
  created_time: z.union([z.string(), z.number()]).optional(),
});

export const leadOf = (raw: unknown): DecodedInteraction => {
  const lead = Lead.parse(raw);
  return {
    key: lead.leadgen_id,
    externalId: lead.leadgen_id,
    kind: 'form',
    channel: 'form',
    direction: 'inbound',
    identifiers: [],
    ...defined({ occurredAt: instantOf(lead.created_time) }),
    properties: defined({ form: lead.form_id, page: lead.page_id, ad: lead.ad_id }),
    fetch: { url: `https://graph.facebook.com/${urlPart(lead.leadgen_id)}` },
  };
};

const Answers = z.looseObject({
  field_data: z.array(z.looseObject({ name: z.string(), values: z.array(z.string()).default([]) })),
});

const emails = ['email', 'work_email'];
const phones = ['phone_number', 'work_phone_number'];

/** A lead with its answers, under Meta's names of the questions. */
export const completeLead = (interaction: DecodedInteraction, { bytes }: Content): DecodedInteraction => {
  const answers = Answers.parse(parseJson(bytes)).field_data;
  const given = (names: readonly string[]): string[] =>
    names.flatMap((name) => answers.find((answer) => answer.name === name)?.values ?? []);
  const [full, first, last] = ['full_name', 'first_name', 'last_name'].map((name) => given([name])[0]);
  const name = defined({ full: full || undefined, first: first || undefined, last: last || undefined });
  return {
    ...interaction,
    identifiers: [
      ...given(emails)
        .flatMap(parseMailboxes)
        .map(({ address }) => `email:${address}`),
      ...phoneIdentifiers(...given(phones)),
    ],
    ...(Object.keys(name).length > 0 && { profile: { name } }),
    properties: {
      ...interaction.properties,
      fields: Object.fromEntries(
        answers.map(({ name: question, values }) => [
          question,
          values.length === 1 ? (values[0] ?? '') : values,
        ]),
      ),
    },
  };
};
