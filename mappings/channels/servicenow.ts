// https://www.servicenow.com/docs/bundle/zurich-api-reference/page/integrate/outbound-rest/concept/c_OutboundRESTWebService.html
// A field arrives as its value or as an object of value and display value. sys_mod_count grows with every change, so with
// sys_id it identifies one. Comments are a journal, the newest entry first, each below a line with author and time; work
// notes are for the staff and are not stored.

import * as z from 'zod';
import { type CrmChange, valueDigest } from '../../core/crm/change.ts';
import { defined, parseJson, readTime } from '../../core/formats/payload.ts';
import { e164, normaliseIdentifier } from '../../core/identity/normalise.ts';
import type { Delivery } from '../../core/webhooks/channel.ts';
import { channelMapping, type Draft, type Drafts } from '../../core/webhooks/channel-mapping.ts';
import { decodeMembers, type Member, membersOf } from '../../core/webhooks/members.ts';
import { typed, type Vouching } from '../../core/webhooks/vouching.ts';

const Scalar = z.union([z.string(), z.number()]).transform(String);
const Field = z.union([Scalar, z.looseObject({ value: Scalar.nullish(), display_value: Scalar.nullish() })]);
const Record = z.looseObject({ sys_id: Field });
type Record = z.infer<typeof Record>;

const fieldOf = (record: Record, name: string): z.infer<typeof Field> | undefined =>
  record[name] === undefined ? undefined : Field.safeParse(record[name]).data;

const readOf = (record: Record, name: string): string => {
  const field = fieldOf(record, name);
  return (typeof field === 'object' ? (field.value ?? field.display_value) : field)?.trim() ?? '';
};

const displayOf = (record: Record, name: string): string => {
  const field = fieldOf(record, name);
  return (typeof field === 'object' ? field.display_value : undefined)?.trim() ?? '';
};

const firstOf = (record: Record, names: readonly string[]): string | undefined =>
  names.find((name) => readOf(record, name) !== '');

/** The fields in which a task names the customer; the person who opened it or is assigned may be an agent. */
const customers = [
  'caller_id',
  'requested_for',
  'opened_for',
  'consumer',
  'contact',
  'request.requested_for',
];
const emails = [
  'u_email',
  'email',
  'caller_id.email',
  'contact.email',
  'consumer.email',
  'requested_for.email',
];
const phones = ['u_phone', 'mobile_phone', 'phone', 'caller_id.mobile_phone', 'caller_id.phone'];
const people: ReadonlySet<string> = new Set(['sys_user', 'customer_contact', 'csm_consumer']);

const contacts: ReadonlySet<string> = new Set(['customer_contact', 'csm_consumer']);

/** A reference without its value is a display name, which several people may have. */
const SYS_ID = /^[0-9a-f]{32}$/iu;

const identifiersOf = (record: Record, isPerson: boolean): string[] => {
  const customer = isPerson ? 'sys_id' : firstOf(record, customers);
  const id = customer === undefined ? '' : readOf(record, customer);
  const email = firstOf(record, emails);
  const phone = firstOf(record, phones);
  const address = email && normaliseIdentifier(`email:${readOf(record, email)}`);
  const number = phone && e164(readOf(record, phone));
  return [
    ...(SYS_ID.test(id) ? [`servicenow:${id}`] : []),
    ...(address ? [address] : []),
    ...(number ? [`phone:${number}`] : []),
  ];
};

const HEAD = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d - (.*) \([^()]*\)$/u;

/** The newest entry of a journal: its author, if it names one, and its text. */
const newest = (journal: string): { readonly author?: string; readonly text: string } => {
  const [first = '', ...rest] = journal.trim().split(/\r?\n/u);
  const author = HEAD.exec(first)?.[1];
  if (author === undefined) return { text: journal.trim() };
  const end = rest.findIndex((line) => HEAD.test(line));
  return { author, text: (end < 0 ? rest : rest.slice(0, end)).join('\n').trim() };
};

const acts: ReadonlyMap<string, CrmChange['act']> = new Map([
  ['insert', 'created'],
  ['delete', 'deleted'],
]);

const strangers: ReadonlySet<string> = new Set(['', 'guest', 'system']);

/** Whether somebody else than the person wrote a person's record. */
const isByStaff = (record: Record): boolean => {
  const writer = readOf(record, 'sys_updated_by');
  return !strangers.has(writer) && writer !== readOf(record, 'user_name');
};

/**
 * The change of a contact, or of a record that belongs to one. Where the CRM is switched on, its sync reads what it means: the
 * hub's own writes are posted too. With a comment the state is posted as it is, which is mostly no change.
 */
const changeOf = (
  record: Record,
  table: string,
  at: string | undefined,
  said: boolean,
): CrmChange | undefined => {
  const [id, state] = [readOf(record, 'sys_id'), readOf(record, 'state')];
  const change = { object: table, id, merged: [], ...(at !== undefined && { at }) };
  if (contacts.has(table) && SYS_ID.test(id))
    return { ...change, act: acts.get(readOf(record, 'operation')) ?? 'changed', fields: {} };
  const isOfContact = table !== '' && state !== '' && SYS_ID.test(readOf(record, 'contact'));
  if (!isOfContact) return undefined;
  return {
    ...change,
    ...{ act: 'changed', fields: { state: valueDigest(state) } },
    ...(said && { asked: true }),
  };
};

const ofRecord = (record: Record): Draft => {
  const [table, id] = [readOf(record, 'table') || readOf(record, 'sys_class_name'), readOf(record, 'sys_id')];
  const isPerson = people.has(table);
  const comment = newest(readOf(record, 'comments'));
  const customer = firstOf(record, customers);
  const name = isPerson ? readOf(record, 'name') : customer && displayOf(record, customer);
  const said = comment.text !== '';
  const ours = said && comment.author !== undefined && Boolean(name) && comment.author !== name;
  const at = readTime(readOf(record, 'sys_updated_on')) ?? readTime(readOf(record, 'sys_created_on'));
  const changed = readOf(record, 'sys_mod_count') || readOf(record, 'sys_updated_on');
  return defined({
    key: `${id}:${changed || readOf(record, 'operation')}`,
    kind: said ? (ours ? 'echo' : 'message') : isPerson ? 'contact-update' : 'crm-record',
    channel: 'crm' as const,
    direction: said ? (ours ? ('outbound' as const) : ('inbound' as const)) : ('system' as const),
    identifiers: identifiersOf(record, isPerson),
    vouched: isByStaff(record),
    externalId: id,
    occurredAt: at,
    change: changeOf(record, table, at, said),
    conversationId: isPerson ? undefined : readOf(record, 'number') || id,
    subject: readOf(record, 'short_description') || undefined,
    text: said ? comment.text : undefined,
    profile: name ? { name: { full: name } } : undefined,
    properties: defined({
      record: table || undefined,
      act: readOf(record, 'operation') || undefined,
      state: displayOf(record, 'state') || readOf(record, 'state') || undefined,
      priority: displayOf(record, 'priority') || readOf(record, 'priority') || undefined,
    }),
  });
};

const Nested = z.looseObject({ record: z.looseObject({}) });

/** A list of records, or one, whose fields may be below `record`. */
const recordsOf = (json: unknown): Member[] => {
  if (Array.isArray(json)) return membersOf(json);
  const { data } = Nested.safeParse(json);
  if (data === undefined) return [{ path: '', value: json }];
  const { record, ...beside } = data;
  return [{ path: 'record', value: { ...beside, ...record } }];
};

const decode = (delivery: Delivery): Drafts =>
  decodeMembers(delivery, recordsOf(parseJson(delivery.body)), (one) => ({
    interactions: [ofRecord(Record.parse(one))],
  }));

export const servicenow = channelMapping({
  id: 'servicenow',
  channels: ['crm'],
  kinds: ['message', 'echo', 'contact-update', 'crm-record'],
  vouching: [
    ...[
      ['sys_id of a person', 'servicenow'],
      ['email', 'email'],
      ['mobile_phone, phone', 'phone'],
    ].map(
      ([field = '', type = '']): Vouching => ({
        ...{ field, type, on: { kinds: ['contact-update'] } },
        proof: { provenIf: '`sys_updated_by` is neither the person nor guest nor system' },
        why: 'staff and imports keep the records of people; people edit their own profile',
      }),
    ),
    typed(
      'caller_id, requested_for, opened_for, consumer, contact',
      'servicenow',
      'ServiceNow finds the caller by the address that a mail or a form names',
    ),
    typed('u_email, caller_id.email and others', 'email', 'a task has what its caller typed'),
    typed('u_phone, caller_id.phone and others', 'phone', 'a task has what its caller typed'),
  ],
  decode,
});
