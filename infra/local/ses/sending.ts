import PostalMime from 'postal-mime';
import type { SentMessages } from '../inbox/sent-messages.ts';
import { ServiceError } from '../protocol/json.ts';
import { element, listOf, need, type QueryOperation, structuresOf } from '../protocol/query.ts';
import type { ServiceContext } from '../protocol/service.ts';
import { addressesIn, bareAddress } from './addresses.ts';
import type { ConfigurationSets } from './configuration-sets.ts';
import { sesEvents } from './events.ts';
import type { Identities } from './identities.ts';
import { quotaUse, type SendingQuota } from './quota.ts';

export interface SendingOptions {
  readonly sent: SentMessages;
  readonly identities: Identities;
  readonly sets: ConfigurationSets;
  /** Whether mail may only be sent to verified identities, as in a new account. */
  readonly sandbox: boolean;
  readonly quota: SendingQuota;
}

const HEADERS_SHOWN = /^(?:list-unsubscribe|list-unsubscribe-post|message-id|reply-to|x-.*)$/iu;
const TAG = /^[\w-]{1,256}$/u;
const MOST_RECIPIENTS = 50;
const LARGEST_BYTES = 10 * 1024 * 1024;

/** SendEmail, SendRawEmail and GetSendQuota. A sent e-mail is stored and reported to its configuration set. */
export const sending = (
  context: ServiceContext,
  options: SendingOptions,
): Readonly<Record<string, QueryOperation>> => {
  const { clock, newId } = context;
  const { sent, sets, quota } = options;
  const report = sesEvents(context, sets);
  const used = quotaUse(context, quota);
  const stamp = () => ({ id: newId(), at: new Date(clock.now()).toISOString(), medium: 'email' as const });
  const expectSendable = (input: URLSearchParams, from: readonly string[], to: readonly string[]): void => {
    expectValidEnvelope(context, input, { from, to }, options);
    used.use(to.length);
  };
  return {
    SendEmail(input) {
      const email = simpleEmailIn(input);
      expectSendable(input, [email.from], email.to);
      const message = { ...stamp(), ...email };
      const { from, to, subject } = email;
      sent.add(message);
      report({
        ...message,
        operation: 'SendEmail',
        configurationSet: input.get('ConfigurationSetName'),
        headers: [
          { name: 'From', value: from },
          { name: 'To', value: to.join(', ') },
          { name: 'Subject', value: subject },
        ],
      });
      return element('MessageId', message.id);
    },
    async SendRawEmail(input) {
      const { raw, headers, senders, ...email } = await rawEmailIn(input);
      expectSendable(input, senders, email.to);
      const shown = headers.filter(({ key }) => HEADERS_SHOWN.test(key));
      const message = {
        ...{ ...stamp(), ...email },
        headers: Object.fromEntries(shown.map(({ key, value }) => [key, value])),
      };
      sent.add(message, raw);
      report({
        ...message,
        subject: email.subject,
        operation: 'SendRawEmail',
        configurationSet: input.get('ConfigurationSetName'),
        headers: headers.map(({ key, originalKey, value }) => ({ name: originalKey ?? key, value })),
      });
      return element('MessageId', message.id);
    },
    GetSendQuota: () =>
      element('Max24HourSend', quota.day) +
      element('MaxSendRate', quota.second) +
      element('SentLast24Hours', used.sentToday()),
  };
};

/** @throws ServiceError where SES refuses the set, the sender or a recipient. */
const expectValidEnvelope = (
  { region }: ServiceContext,
  input: URLSearchParams,
  { from, to }: { readonly from: readonly string[]; readonly to: readonly string[] },
  { sets, identities, sandbox }: SendingOptions,
): void => {
  const set = input.get('ConfigurationSetName');
  if (set !== null) sets.expect(set);
  if (to.length === 0) throw new ServiceError('InvalidParameterValue', 'Missing final recipient.');
  if (to.length > MOST_RECIPIENTS)
    throw new ServiceError('MessageRejected', `Recipient count exceeds ${MOST_RECIPIENTS}.`);
  const [senders, recipients] = [from.map(bareAddress), to.map(bareAddress)];
  const checked = new Set(sandbox ? [...senders, ...recipients] : senders);
  const unverified = [...checked].filter((address) => !identities.isVerified(address));
  if (unverified.length > 0)
    throw new ServiceError(
      'MessageRejected',
      `Email address is not verified. The following identities failed the check in region ${region.toUpperCase()}: ${unverified.join(', ')}`,
    );
};

const simpleEmailIn = (input: URLSearchParams) => {
  const [cc, bcc] = [listOf(input, 'Destination.CcAddresses'), listOf(input, 'Destination.BccAddresses')];
  const [text, html] = [input.get('Message.Body.Text.Data'), input.get('Message.Body.Html.Data')];
  const replyTo = listOf(input, 'ReplyToAddresses');
  return {
    to: [...listOf(input, 'Destination.ToAddresses'), ...cc, ...bcc],
    from: need(input, 'Source'),
    subject: need(input, 'Message.Subject.Data'),
    ...(text !== null && { text }),
    ...(html !== null && { html }),
    ...(replyTo.length > 0 && { headers: { 'reply-to': replyTo.join(', ') } }),
    tags: tagsOf(input),
  };
};

/** The recipients of a raw e-mail are its `Destinations`, or without them those of its headers. */
const rawEmailIn = async (input: URLSearchParams) => {
  const raw = Buffer.from(need(input, 'RawMessage.Data'), 'base64');
  if (raw.byteLength > LARGEST_BYTES)
    throw new ServiceError(
      'InvalidParameterValue',
      `Message length is more than ${LARGEST_BYTES} bytes long: '${raw.byteLength}'.`,
    );
  const mail = await PostalMime.parse(raw);
  if (mail.from === undefined)
    throw new ServiceError('InvalidParameterValue', "Missing required header 'From'.");
  expectValidHead(raw, mail.headers);
  const destinations = listOf(input, 'Destinations');
  const inHeaders = [mail.to, mail.cc, mail.bcc].flatMap((list) => list ?? []);
  return {
    raw,
    headers: mail.headers,
    to: destinations.length > 0 ? destinations : addressesIn(inHeaders),
    senders: [input.get('Source'), mail.from.address].filter((one) => typeof one === 'string'),
    from: mail.from.name ? `${mail.from.name} <${mail.from.address}>` : (mail.from.address ?? ''),
    ...(mail.subject !== undefined && { subject: mail.subject }),
    ...(mail.text !== undefined && { text: mail.text }),
    ...(mail.html !== undefined && { html: mail.html }),
    tags: tagsOf(input),
  };
};

/** RFC 5322, 3.6: headers that a mail has once at most. */
const SINGLE_HEADERS = new Set(
  'from sender reply-to to cc bcc message-id in-reply-to references subject date mime-version content-type'.split(
    ' ',
  ),
);
const LONGEST_LINE = 998;

/** @throws ServiceError for a repeated header, for bytes beyond ASCII in one, and for a line that is too long. */
const expectValidHead = (raw: Buffer, headers: readonly { readonly key: string }[]): void => {
  const names = headers.map(({ key }) => key.toLowerCase()).filter((name) => SINGLE_HEADERS.has(name));
  const repeated = names.find((name, at) => names.indexOf(name) !== at);
  if (repeated !== undefined)
    throw new ServiceError('InvalidParameterValue', `Duplicate header '${repeated}'.`);
  const text = raw.toString('latin1');
  const [head = ''] = text.split(/\r?\n\r?\n/u);
  if (/[\u0080-\u00ff]/u.test(head))
    throw new ServiceError('InvalidParameterValue', 'Header contains non-ASCII characters.');
  if (text.split(/\r?\n/u).some((line) => line.length > LONGEST_LINE))
    throw new ServiceError('InvalidParameterValue', `A line is longer than ${LONGEST_LINE} characters.`);
};

const tagsOf = (input: URLSearchParams): Record<string, string> => {
  const tags = structuresOf(input, 'Tags').map(({ Name = '', Value = '' }) => [Name, Value] as const);
  const invalid = tags.find((tag) => !tag.every((part) => TAG.test(part)));
  if (invalid === undefined) return Object.fromEntries(tags);
  throw new ServiceError(
    'InvalidParameterValue',
    `Message tag <${invalid.join('=')}>: use only alphanumeric ASCII characters, '_' and '-', at most 256 of them.`,
  );
};
