// https://developers.facebook.com/docs/marketing-api/guides/lead-ads/retrieving
// The webhook of Lead Ads contains only the id of a lead: the answers, which identify the person, are fetched. Only the
// fields that Meta fills in itself describe the person; a custom question may ask for somebody else's address.

import * as z from 'zod';
import { parseMailboxes } from '../../../core/formats/mail/mailboxes.ts';
import { defined, instantOf, parseJson, urlPart } from '../../../core/formats/payload.ts';
import { phoneIdentifiers } from '../../../core/identity/normalise.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';
import type { Content } from '../../../core/webhooks/channel.ts';

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
