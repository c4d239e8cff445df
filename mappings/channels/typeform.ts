// https://www.typeform.com/developers/webhooks/example-payload/
// Typeform checks the form of answers of the types email and phone_number. Hidden fields come from the form's address: the
// person who sends the link fills them in.

import * as z from 'zod';
import { Json, JsonObject } from '../../core/formats/json.ts';
import { defined, parsePayload, readTime } from '../../core/formats/payload.ts';
import { phoneIdentifiers } from '../../core/identity/normalise.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { typed } from '../../core/webhooks/vouching.ts';

const Text = z.string().nullish();
const Answer = z.looseObject({
  type: z.string(),
  field: z.looseObject({ id: z.string(), ref: Text }),
  choice: z.looseObject({ label: Text, other: Text }).nullish(),
  choices: z.looseObject({ labels: z.array(z.string()).nullish(), other: Text }).nullish(),
});
type Answer = z.infer<typeof Answer>;
const Payload = z.looseObject({
  event_id: z.string(),
  event_type: z.string(),
  form_response: z
    .looseObject({
      form_id: z.string(),
      token: z.string(),
      submitted_at: Text,
      hidden: JsonObject.nullish(),
      calculated: z.looseObject({ score: z.number().nullish() }).nullish(),
      definition: z
        .looseObject({
          title: Text,
          fields: z.array(z.looseObject({ id: z.string(), title: Text })).optional(),
        })
        .optional(),
      answers: z.array(Answer).nullish(),
    })
    .optional(),
});

const Given = Json.catch(null);

const answered = (answer: Answer): z.util.JSONType => {
  if (answer.type === 'choice') return answer.choice?.label ?? answer.choice?.other ?? null;
  if (answer.type === 'choices')
    return [...(answer.choices?.labels ?? []), ...(answer.choices?.other ? [answer.choices.other] : [])];
  return Given.parse(answer[answer.type]);
};

const texts = (answers: readonly Answer[], type: string): string[] =>
  answers
    .filter((answer) => answer.type === type)
    .map(answered)
    .filter((value) => typeof value === 'string');

/** The first address that a form asks for is the person's own; a second may be a friend's. */
const own = (answers: readonly Answer[], type: string): string[] => texts(answers, type).slice(0, 1);

const hiddenText = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;

const decode = ({ body }: Delivery): Drafts => {
  const { event_id, event_type, form_response } = Payload.parse(parsePayload(body));
  // A partial response is sent only where the admin asks for it; the form is not submitted.
  const isPartial = event_type === 'form_response_partial';
  if ((event_type !== 'form_response' && !isPartial) || form_response === undefined)
    return { interactions: [], ignored: [event_type] };
  const { form_id, token, submitted_at, hidden, calculated, definition } = form_response;
  const answers = form_response.answers ?? [];
  const [user_id, email, phone] = ['user_id', 'email', 'phone'].map((name) => hiddenText(hidden?.[name]));
  return {
    ignored: [],
    interactions: [
      {
        key: event_id,
        kind: 'form',
        channel: 'form',
        direction: 'inbound',
        identifiers: [
          ...own(answers, 'email').map((one) => `email:${one}`),
          ...phoneIdentifiers(...own(answers, 'phone_number')),
          ...(user_id ? [`user-id:${user_id}`] : []),
          ...(email ? [`email:${email}`] : []),
          ...phoneIdentifiers(phone),
        ],
        externalId: token,
        ...defined({ occurredAt: readTime(submitted_at), subject: definition?.title ?? undefined }),
        properties: {
          form: form_id,
          ...(isPartial && { partial: true }),
          fields: Object.fromEntries(answers.map((answer) => [answer.field.id, answered(answer)])),
          titles: Object.fromEntries((definition?.fields ?? []).map(({ id, title }) => [id, title ?? ''])),
          ...(hidden && { hidden }),
          ...defined({ score: calculated?.score ?? undefined }),
        },
      },
    ],
  };
};

export const typeform = channelMapping({
  id: 'typeform',
  channels: ['form'],
  kinds: ['form'],
  vouching: [
    typed('answers of type email; hidden.email', 'email'),
    typed('answers of type phone_number; hidden.phone', 'phone'),
    typed(
      'hidden.user_id',
      'user-id',
      'hidden fields come from the address of the form, which anybody can change',
    ),
  ],
  decode,
});
