// https://developer.calendly.com/docs/api-guides/see-how-webhook-payloads-change-when-invitees-reschedule-events
// A moved appointment arrives as a cancellation of the old invitee, marked `rescheduled`, and the creation of a new one.

import * as z from 'zod';
import { emailAddress } from '../../core/formats/mail/mailbox.ts';
import { defined, parseJson, readTime } from '../../core/formats/payload.ts';
import { phoneIdentifiers } from '../../core/identity/normalise.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { typed } from '../../core/webhooks/vouching.ts';

const Text = z.string().nullish();
/** A question with several choices may have a list of answers. */
const Given = z.union([z.string(), z.array(z.string()).transform((all) => all.join('\n'))]).nullish();
const Answer = z.looseObject({ question: Text, answer: Given });
const Payload = z.looseObject({
  event: z.string(),
  created_at: Text,
  payload: z.looseObject({
    uri: Text,
    email: Text,
    name: Text,
    first_name: Text,
    last_name: Text,
    text_reminder_number: Text,
    timezone: Text,
    rescheduled: z.boolean().nullish(),
    old_invitee: Text,
    new_invitee: Text,
    status: Text,
    questions_and_answers: z.array(Answer).nullish(),
    cancellation: z.looseObject({ reason: Text, canceler_type: Text }).nullish(),
    scheduled_event: z.looseObject({ name: Text, start_time: Text, end_time: Text }).nullish(),
    submission: Text,
  }),
});
type Invitee = z.infer<typeof Payload>['payload'];

const happened: Readonly<Record<string, (invitee: Invitee) => string>> = {
  'invitee.created': ({ old_invitee }) => (old_invitee ? 'booking.rescheduled' : 'booking.created'),
  'invitee.canceled': ({ rescheduled }) =>
    rescheduled === true ? 'booking.rescheduled' : 'booking.canceled',
  'invitee_no_show.created': () => 'booking.no-show',
  'routing_form_submission.created': () => 'form.submitted',
};

const fieldsOf = (answers: readonly z.infer<typeof Answer>[]): Record<string, string> =>
  Object.fromEntries(answers.map(({ question, answer }, at) => [question ?? String(at), answer ?? '']));

/** The one address among the answers of a routing form, which has no field for it; of several, it may be a friend's. */
const typedAddress = (answers: readonly z.infer<typeof Answer>[]): string[] => {
  const addresses = new Set(answers.flatMap(({ answer }) => emailAddress(answer ?? '') ?? []));
  return addresses.size === 1 ? [...addresses] : [];
};

const decode = ({ body }: Delivery): Drafts => {
  const { event, created_at, payload: invitee } = Payload.parse(parseJson(body));
  const name = Object.hasOwn(happened, event) ? happened[event]?.(invitee) : undefined;
  const { uri, text_reminder_number, timezone, scheduled_event: booked } = invitee;
  const answers = invitee.questions_and_answers ?? [];
  const emails = invitee.email ? [invitee.email] : typedAddress(answers);
  if (name === undefined || !uri) return { interactions: [], ignored: [event] };
  const full = invitee.name ?? [invitee.first_name, invitee.last_name].filter((part) => part).join(' ');
  return {
    ignored: [],
    interactions: [
      {
        key: `${event}:${uri}`,
        kind: 'form',
        channel: 'form',
        direction: 'inbound',
        identifiers: [...emails.map((one) => `email:${one}`), ...phoneIdentifiers(text_reminder_number)],
        externalId: uri,
        ...defined({ occurredAt: readTime(created_at), text: invitee.cancellation?.reason ?? undefined }),
        properties: {
          name,
          fields: fieldsOf(answers),
          ...defined({
            booking: booked?.name ?? undefined,
            startsAt: readTime(booked?.start_time),
            endsAt: readTime(booked?.end_time),
          }),
        },
        profile: { ...(full !== '' && { name: { full } }), ...(timezone && { timeZone: timezone }) },
      },
    ],
  };
};

export const calendly = channelMapping({
  id: 'calendly',
  channels: ['form'],
  kinds: ['form'],
  vouching: [
    typed('email, or the one address among the answers', 'email'),
    typed('text_reminder_number', 'phone'),
  ],
  decode,
});
