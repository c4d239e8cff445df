import type { DatabaseSync } from 'node:sqlite';
import PostalMime, { addressParser } from 'postal-mime';
import type { SentMessages } from '../inbox/sent-messages.ts';
import { ServiceError } from '../protocol/json.ts';
import {
  answerQuery,
  element,
  escapeXml,
  listOf,
  members,
  need,
  type QueryOperation,
  queryOperation,
  structuresOf,
} from '../protocol/query.ts';
import type { AwsService, ServiceContext } from '../protocol/service.ts';
import { sesEvents } from './events.ts';
import { type Receiving, receiving } from './receiving.ts';

export interface SesOptions {
  /** As a new account is: mail goes from and to verified identities only, 200 in a day. */
  readonly sandbox?: boolean;
}

const HEADERS_SHOWN = /^(?:list-unsubscribe|list-unsubscribe-post|message-id|reply-to|x-.*)$/iu;
const TAG = /^[\w-]{1,256}$/u;
const MOST_RECIPIENTS = 50;
const LARGEST_BYTES = 10 * 1024 * 1024;
const DAY_MS = 86_400_000;

export interface Ses extends AwsService {
  /** A mail comes in. @throws ServiceError `MessageRejected` where no receipt rule is for it. */
  receiveMail: Receiving['receiveMail'];
}

/** SES (version 1) on one machine: what it sends lands in the outbox, what comes in does what its receipt rules say. */
export const ses = (surroundings: ServiceContext, sent: SentMessages, options: SesOptions = {}): Ses => {
  const { receiveMail, operations: receipt } = receiving(surroundings);
  const operations: Record<string, QueryOperation> = {
    ...receipt,
    ...identities(surroundings.db),
    ...configurationSets(surroundings.db),
    ...sending(surroundings, sent, options.sandbox === true),
  };
  return {
    signingName: 'ses',
    receiveMail,
    operation: queryOperation,
    handle: (request) => answerQuery(request, 'http://ses.amazonaws.com/doc/2010-12-01/', operations),
  };
};

const identities = (db: DatabaseSync): Record<string, QueryOperation> => {
  db.exec('CREATE TABLE IF NOT EXISTS ses_identities (identity TEXT PRIMARY KEY) STRICT');
  const add = db.prepare('INSERT OR IGNORE INTO ses_identities VALUES (?)');
  const remove = db.prepare('DELETE FROM ses_identities WHERE identity = ?');
  const one = db.prepare('SELECT 1 FROM ses_identities WHERE identity = ?');
  const all = db.prepare('SELECT identity FROM ses_identities ORDER BY identity');
  // There is nobody to click the link of a verification mail here, so an identity is verified at once.
  const verify = (identity: string): string => {
    add.run(identity.toLowerCase());
    return '';
  };
  return {
    VerifyEmailIdentity: (input) => verify(need(input, 'EmailAddress')),
    VerifyDomainIdentity(input) {
      const domain = need(input, 'Domain');
      return verify(domain) + element('VerificationToken', Buffer.from(domain).toString('base64'));
    },
    DeleteIdentity(input) {
      remove.run(need(input, 'Identity').toLowerCase());
      return '';
    },
    ListIdentities: () =>
      members(
        'Identities',
        all.all().map(({ identity }) => escapeXml(String(identity))),
      ),
    GetIdentityVerificationAttributes(input) {
      const known = listOf(input, 'Identities').filter((identity) => one.get(identity.toLowerCase()));
      const entries = known.map(
        (identity) =>
          `<entry>${element('key', identity)}<value><VerificationStatus>Success</VerificationStatus></value></entry>`,
      );
      return `<VerificationAttributes>${entries.join('')}</VerificationAttributes>`;
    },
  };
};

const configurationSets = (db: DatabaseSync): Record<string, QueryOperation> => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS ses_configuration_sets (name TEXT PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS ses_event_destinations (set_name TEXT NOT NULL, name TEXT NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (set_name, name)) STRICT;
  `);
  const add = db.prepare('INSERT OR IGNORE INTO ses_configuration_sets VALUES (?)');
  const all = db.prepare('SELECT name FROM ses_configuration_sets ORDER BY name');
  const addDestination = db.prepare('INSERT OR IGNORE INTO ses_event_destinations VALUES (?, ?, ?)');
  return {
    CreateConfigurationSet(input) {
      const name = need(input, 'ConfigurationSet.Name');
      if (add.run(name).changes === 0)
        throw new ServiceError(
          'ConfigurationSetAlreadyExists',
          `Configuration set <${name}> already exists.`,
        );
      return '';
    },
    DeleteConfigurationSet(input) {
      const name = expectSet(db, need(input, 'ConfigurationSetName'));
      db.prepare('DELETE FROM ses_event_destinations WHERE set_name = ?').run(name);
      db.prepare('DELETE FROM ses_configuration_sets WHERE name = ?').run(name);
      return '';
    },
    DescribeConfigurationSet: (input) =>
      `<ConfigurationSet>${element('Name', expectSet(db, need(input, 'ConfigurationSetName')))}</ConfigurationSet>`,
    ListConfigurationSets: () =>
      members(
        'ConfigurationSets',
        all.all().map(({ name }) => element('Name', String(name))),
      ),
    CreateConfigurationSetEventDestination(input) {
      const set = expectSet(db, need(input, 'ConfigurationSetName'));
      const name = need(input, 'EventDestination.Name');
      const fields = JSON.stringify([...input].filter(([field]) => field.startsWith('EventDestination.')));
      if (addDestination.run(set, name, fields).changes === 0)
        throw new ServiceError(
          'EventDestinationAlreadyExists',
          `The event destination ${name} of the configuration set ${set} already exists.`,
        );
      return '';
    },
    DeleteConfigurationSetEventDestination(input) {
      db.prepare('DELETE FROM ses_event_destinations WHERE set_name = ? AND name = ?').run(
        expectSet(db, need(input, 'ConfigurationSetName')),
        need(input, 'EventDestinationName'),
      );
      return '';
    },
  };
};

const expectSet = (db: DatabaseSync, name: string): string => {
  if (db.prepare('SELECT 1 FROM ses_configuration_sets WHERE name = ?').get(name)) return name;
  throw new ServiceError('ConfigurationSetDoesNotExist', `Configuration set <${name}> does not exist.`);
};

const sending = (
  surroundings: ServiceContext,
  sent: SentMessages,
  sandbox: boolean,
): Record<string, QueryOperation> => {
  const { db, clock, newId } = surroundings;
  const taken = sesEvents(surroundings);
  const quota = sandbox ? { day: 200, second: 1 } : { day: 50_000, second: 14 };
  const isVerified = (address: string): boolean =>
    [address, address.split('@').at(-1) ?? ''].some((identity) =>
      db.prepare('SELECT 1 FROM ses_identities WHERE identity = ?').get(identity.toLowerCase()),
    );
  const sentToday = (): number =>
    sent.list().filter(({ medium, at }) => medium === 'email' && Date.parse(at) > clock.now() - DAY_MS)
      .length;

  /** What holds for either way of sending. */
  const expectSendable = (input: URLSearchParams, from: string, to: readonly string[]): void => {
    const set = input.get('ConfigurationSetName');
    if (set !== null) expectSet(db, set);
    if (to.length === 0) throw new ServiceError('InvalidParameterValue', 'Missing final recipient.');
    if (to.length > MOST_RECIPIENTS)
      throw new ServiceError('MessageRejected', `Recipient count exceeds ${MOST_RECIPIENTS}.`);
    const [sender, ...recipients] = [from, ...to].map(bareAddress);
    if (!sandbox) return;
    const unverified = [sender ?? '', ...recipients].filter((address) => !isVerified(address));
    if (unverified.length > 0) {
      throw new ServiceError(
        'MessageRejected',
        `Email address is not verified. The following identities failed the check: ${unverified.join(', ')}`,
      );
    }
    if (sentToday() >= quota.day) throw new ServiceError('Throttling', 'Daily message quota exceeded.');
  };
  const left = (id: string) => ({ id, at: new Date(clock.now()).toISOString(), medium: 'email' as const });

  return {
    SendEmail(input) {
      const [from, subject] = [need(input, 'Source'), need(input, 'Message.Subject.Data')];
      const [cc, bcc] = [listOf(input, 'Destination.CcAddresses'), listOf(input, 'Destination.BccAddresses')];
      const to = [...listOf(input, 'Destination.ToAddresses'), ...cc, ...bcc];
      expectSendable(input, from, to);
      const [text, html] = [input.get('Message.Body.Text.Data'), input.get('Message.Body.Html.Data')];
      const replyTo = listOf(input, 'ReplyToAddresses');
      const message = {
        ...left(newId()),
        to,
        from,
        subject,
        ...(text !== null && { text }),
        ...(html !== null && { html }),
        ...(replyTo.length > 0 && { headers: { 'reply-to': replyTo.join(', ') } }),
        tags: tagsOf(input),
      };
      sent.add(message);
      taken({
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
      const raw = Buffer.from(need(input, 'RawMessage.Data'), 'base64');
      if (raw.byteLength > LARGEST_BYTES)
        throw new ServiceError(
          'InvalidParameterValue',
          `Message length is more than ${LARGEST_BYTES} bytes long: '${raw.byteLength}'.`,
        );
      const mail = await PostalMime.parse(raw);
      const from = input.get('Source') ?? mail.from?.address ?? '';
      if (mail.from === undefined)
        throw new ServiceError('InvalidParameterValue', "Missing required header 'From'.");
      const named = listOf(input, 'Destinations');
      const inHeaders = [mail.to, mail.cc, mail.bcc].flatMap((list) => list ?? []);
      const to = named.length > 0 ? named : addressesIn(inHeaders);
      expectSendable(input, from, to);
      const headers = mail.headers.filter(({ key }) => HEADERS_SHOWN.test(key));
      const message = {
        ...left(newId()),
        to,
        from,
        ...(mail.subject !== undefined && { subject: mail.subject }),
        ...(mail.text !== undefined && { text: mail.text }),
        ...(mail.html !== undefined && { html: mail.html }),
        headers: Object.fromEntries(headers.map(({ key, value }) => [key, value])),
        tags: tagsOf(input),
      };
      sent.add(message, raw);
      taken({
        ...message,
        subject: mail.subject,
        operation: 'SendRawEmail',
        configurationSet: input.get('ConfigurationSetName'),
        headers: mail.headers.map(({ key, originalKey, value }) => ({ name: originalKey ?? key, value })),
      });
      return element('MessageId', message.id);
    },
    GetSendQuota: () =>
      element('Max24HourSend', quota.day) +
      element('MaxSendRate', quota.second) +
      element('SentLast24Hours', sentToday()),
    GetAccountSendingEnabled: () => '<Enabled>true</Enabled>',
  };
};

const tagsOf = (input: URLSearchParams): Record<string, string> => {
  const tags = structuresOf(input, 'Tags').map(({ Name = '', Value = '' }) => [Name, Value] as const);
  const wrong = tags.find((tag) => !tag.every((part) => TAG.test(part)));
  if (wrong === undefined) return Object.fromEntries(tags);
  throw new ServiceError(
    'InvalidParameterValue',
    `Message tag <${wrong.join('=')}>: use only alphanumeric ASCII characters, '_' and '-', at most 256 of them.`,
  );
};

interface Mailbox {
  readonly address?: string | undefined;
  readonly group?: readonly Mailbox[] | undefined;
}

const addressesIn = (list: readonly Mailbox[]): string[] =>
  list.flatMap(({ address, group }) => [
    ...(address === undefined || address === '' ? [] : [address]),
    ...addressesIn(group ?? []),
  ]);

/** The address itself of `Name <address>`. @throws ServiceError when it is none, or would break a header. */
const bareAddress = (text: string): string => {
  const [address = '', ...others] = addressesIn(addressParser(text));
  if (/[\r\n]/u.test(text) || others.length > 0 || !/^[^\s@]+@[^\s@]+$/u.test(address))
    throw new ServiceError('InvalidParameterValue', "Missing final '@domain'");
  return address;
};
