import * as z from 'zod';
import { ConsentStatus } from '../../consent/consent.ts';
import { Identifier } from '../../identity/identifier.ts';
import { Channel, Instant, PersonName } from '../../interaction/interaction.ts';
import { columnOfHeader } from '../header-names.ts';
import { type Columns, identifierColumn, nameAfter, typedColumn } from './columns.ts';

const Text = z.string().trim().min(1).max(1000);
const Texts = z.union([Text.transform((one) => [one]), z.array(Text).max(20)]);

/** A time, or a date, which means midnight UTC. */
export const When = z.union([Instant, z.iso.date().transform((date) => `${date}T00:00:00.000Z`)], {
  error: 'expected a time with its zone, such as 2026-03-02T09:00:00Z, or a date such as 2026-03-02',
});

/** The words for consent answers in lists. */
const statusByWord: Readonly<Record<string, ConsentStatus>> = {
  ...Object.fromEntries(ConsentStatus.options.map((status) => [status, status])),
  ...{ yes: 'granted', true: 'granted', 1: 'granted', subscribed: 'granted', 'opted-in': 'granted' },
  ...{ no: 'denied', false: 'denied', 0: 'denied', unsubscribed: 'denied', 'opted-out': 'denied' },
};

const ANSWERS = 'expected granted, service-only, denied or unknown (or yes, no, subscribed, unsubscribed)';
const ListAnswer = z.union([z.string(), z.boolean()]).transform((answer, context): ConsentStatus => {
  const status = statusByWord[String(answer).trim().toLowerCase()];
  if (status !== undefined) return status;
  context.addIssue({
    code: 'custom',
    message: ANSWERS,
  });
  return z.NEVER;
});

/** Wraps a throwing check as a predicate with a cache: the rows of a list repeat a few values. */
const cachedPredicate = (check: (text: string) => unknown) => {
  const known = new Map<string, boolean>();
  return (text: string): boolean => {
    const cached = known.get(text);
    if (cached !== undefined) return cached;
    let isValid = true;
    try {
      check(text);
    } catch {
      isValid = false;
    }
    if (known.size < 1000) known.set(text, isValid);
    return isValid;
  };
};

export const ListTimeZone = Text.refine(
  cachedPredicate((timeZone) => new Intl.DateTimeFormat('en', { timeZone })),
  { error: 'expected an IANA time zone such as Europe/Rome' },
);
export const Language = Text.refine(
  cachedPredicate((language) => Intl.getCanonicalLocales(language)),
  {
    error: 'expected a language tag such as it or pt-BR',
  },
);

const MAX_TRAITS_CHARACTERS = 20_000;
export const Traits = z
  .record(z.string().max(100), z.json())
  .refine((traits) => JSON.stringify(traits).length <= MAX_TRAITS_CHARACTERS, {
    error: `expected at most ${MAX_TRAITS_CHARACTERS} characters`,
  });

/** One customer of a list: a line of NDJSON, or the object of a CSV row. */
export const ListedCustomer = z.strictObject({
  email: Texts.optional(),
  phone: Texts.optional(),
  'user-id': z.union([Text, z.int().transform(String)]).optional(),
  identifiers: z.array(Identifier).max(20).default([]),
  name: z.union([Text.transform((full) => ({ full })), PersonName]).optional(),
  language: Language.optional(),
  timeZone: ListTimeZone.optional(),
  stage: Text.optional(),
  tags: z.array(Text).max(50).optional(),
  traits: Traits.optional(),
  consent: z
    .partialRecord(
      Channel,
      z.union(
        [
          ListAnswer.transform((status) => ({ status, at: undefined })),
          z.strictObject({ status: ListAnswer, at: When.optional() }),
        ],
        { error: ANSWERS },
      ),
    )
    .optional(),
  preferences: z.strictObject({ channel: Channel.optional() }).optional(),
  /** The hub's reason for an earlier refusal of the row; ignored. */
  refused: z.unknown().optional(),
});
export type ListedCustomer = z.output<typeof ListedCustomer>;

/** The identifiers of a row, strongest type first. */
export const identifiersOfListed = (row: ListedCustomer): string[] => [
  ...(row['user-id'] === undefined ? [] : [`user-id:${row['user-id']}`]),
  ...(row.email ?? []).map((one) => `email:${one}`),
  ...(row.phone ?? []).map((one) => `phone:${one}`),
  ...row.identifiers,
];

export const CUSTOMER_COLUMNS =
  'email, phone, user-id, identifier.<type>, name, name.first, name.last, language, timeZone, stage, tags, trait.<name>, trait.<name>:number, trait.<name>:boolean, consent.<channel>, consent.<channel>.at, preference.channel';

const customerPaths: Readonly<Record<string, readonly string[]>> = {
  name: ['name', 'full'],
  'name.full': ['name', 'full'],
  'name.first': ['name', 'first'],
  'name.last': ['name', 'last'],
  language: ['language'],
  timezone: ['timeZone'],
  stage: ['stage'],
  'preference.channel': ['preferences', 'channel'],
  'preferences.channel': ['preferences', 'channel'],
};

/** The columns of a customer list, by our names and by those of other programs. */
export const customerColumns: Columns = (name) => {
  const column = ownColumn(name);
  if (column !== undefined) return column;
  const meant = columnOfHeader(name);
  return meant === undefined ? undefined : ownColumn(meant);
};

const ownColumn: Columns = (name) => {
  const path = customerPaths[name.toLowerCase()];
  if (path?.[0] === 'language') return { path, read: (cell) => ({ value: cell.replaceAll('_', '-') }) };
  if (path !== undefined) return { path };
  if (name.toLowerCase() === 'tags')
    return {
      path: ['tags'],
      many: true,
      read: (cell) => ({ value: cell.split(/[,;|]/u).flatMap((tag) => tag.trim() || []) }),
    };
  const trait = nameAfter(/^traits?\./iu, name);
  if (trait !== undefined) return typedColumn('traits', trait);
  const [, channel, dated] = /^consent\.([a-z-]+)(\.at)?$/iu.exec(name) ?? [];
  const known = Channel.safeParse(channel?.toLowerCase());
  if (known.success) return { path: ['consent', known.data, dated === undefined ? 'status' : 'at'] };
  return identifierColumn(name);
};
