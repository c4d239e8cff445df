import { nearestWord } from '../../config/nearest.ts';
import { ConsentStatus } from '../../consent/consent.ts';
import { Channel, Direction, Kind } from '../../interaction/interaction.ts';

/** What a path of a mapping leads to. */
export interface PathEntry {
  readonly type: 'text' | 'list' | 'datetime' | 'any';
  readonly about: string;
  /** The only values, if there are few. */
  readonly values?: readonly string[];
  /** The most characters that occur in practice. */
  readonly length?: number;
  /** Whether every customer, or every interaction, has a value. */
  readonly isCertain?: true;
}

export type Subject = 'contact' | 'interaction';

const text = 'text' as const;
const list = 'list' as const;
/** A hub's own ids, and the words of its vocabulary. */
const SHORT = 64;
/** The longest address that Salesforce keeps; a longer one is hardly ever seen, and cut it would be another one. */
const ADDRESS = 80;

/** What `from` and `fallback` may name. `…` stands for a name of your own. */
export const paths: Readonly<Record<Subject, Readonly<Record<string, PathEntry>>>> = {
  contact: {
    id: { type: text, about: "the hub's id of the customer", length: SHORT, isCertain: true },
    displayName: {
      type: text,
      about: 'the name, else an address, else words such as "Messenger visitor"',
      isCertain: true,
    },
    primaryIdentifier: { type: text, about: 'the value of the strongest identifier', isCertain: true },
    'name.first': { type: text, about: 'the first name' },
    'name.last': { type: text, about: 'the last name' },
    'name.full': { type: text, about: 'the whole name' },
    stage: { type: text, about: 'the stage, such as `lead`', length: SHORT },
    tags: { type: list, about: 'the tags' },
    language: { type: text, about: 'the language, such as `it`', length: 35 },
    timeZone: { type: text, about: 'the time zone, such as `Europe/Rome`', length: SHORT },
    'preferences.channel': {
      type: text,
      about: 'the channel that the customer prefers',
      values: Channel.options,
    },
    'consent.…': {
      type: text,
      about: 'the consent for a channel, such as `consent.email`; nothing as long as it is unknown',
      values: ConsentStatus.options.filter((one) => one !== 'unknown'),
    },
    'identifiers.….primary': {
      type: text,
      about: 'the first identifier of a type, such as `identifiers.email.primary`',
      length: ADDRESS,
    },
    'identifiers.….all': { type: list, about: 'all identifiers of a type' },
    'traits.…': { type: 'any', about: 'a trait' },
  },
  interaction: {
    id: { type: text, about: "the hub's id of the interaction", length: SHORT, isCertain: true },
    kind: { type: text, about: 'the kind', values: Kind.options, isCertain: true },
    channel: { type: text, about: 'the channel', values: Channel.options, isCertain: true },
    provider: { type: text, about: 'the provider', length: SHORT, isCertain: true },
    account: { type: text, about: 'the shop, page or number of the provider, if it has several' },
    direction: { type: text, about: 'the direction', values: Direction.options, isCertain: true },
    occurredAt: { type: 'datetime', about: 'when it happened', length: 24, isCertain: true },
    text: { type: text, about: 'the text' },
    subject: { type: text, about: 'the subject of an e-mail' },
    externalId: { type: text, about: "the provider's id" },
    refersTo: { type: text, about: "the provider's id of the message that it is about" },
    conversationId: { type: text, about: 'the id of the conversation' },
    proof: {
      type: text,
      about: '`claimed` if nobody vouches for who it is from',
      values: ['claimed', 'proven'],
      isCertain: true,
    },
    identifiers: { type: list, about: 'the identifiers that it carries' },
    attachments: { type: list, about: 'its files' },
    'properties.…': { type: 'any', about: 'a property of the provider' },
  },
};

/** What `to` of a field that the CRM owns may name. */
const takers =
  /^(?:name\.(?:first|last|full)|language|timeZone|traits\..+|identifiers\.[a-z0-9-]+\.primary)$/u;

/** The channel of a path such as `consent.email`. */
export const consentChannel = (path: string | undefined): Channel | undefined =>
  path?.startsWith('consent.') ? Channel.safeParse(path.slice('consent.'.length)).data : undefined;

/** What a path leads to; undefined where it leads nowhere. */
export const pathEntry = (path: string, subject: Subject): PathEntry | undefined => {
  const known = paths[subject];
  if (Object.hasOwn(known, path) && !path.includes('…')) return known[path];
  if (consentChannel(path) !== undefined) return known['consent.…'];
  const open = path
    .replace(/^(traits|properties)\..+$/u, '$1.…')
    .replace(/^identifiers\.[a-z0-9-]+\.(primary|all)$/u, 'identifiers.….$1');
  return open !== path && Object.hasOwn(known, open) ? known[open] : undefined;
};

/** Why a path leads nowhere; undefined where it may lead somewhere. */
export const pathFault = (path: string, subject: Subject): string | undefined => {
  if (pathEntry(path, subject) !== undefined) return undefined;
  const known = Object.keys(paths[subject]);
  const nearest = nearestWord(
    path,
    known.filter((one) => !one.includes('…')),
  );
  return nearest === undefined
    ? `expected one of ${known.join(', ')}`
    : `there is no ${path}; did you mean ${nearest}?`;
};

/** Why the hub cannot keep a value of the CRM under a path; undefined where it can. */
export const targetFault = (path: string): string | undefined =>
  takers.test(path) || consentChannel(path) !== undefined
    ? undefined
    : `expected name.first, name.last, name.full, language, timeZone, traits.…, identifiers.….primary or consent.…`;
