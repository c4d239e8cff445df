import { nearestWord } from '../config/nearest.ts';

/** What `from` and `fallback` of a contact may name, beside `traits.…` and `identifiers.<type>.primary` and `.all`. */
const ofCustomer = [
  ...['id', 'displayName', 'primaryIdentifier', 'stage', 'tags', 'language', 'timeZone'],
  ...['name.first', 'name.last', 'name.full', 'preferences.channel'],
] as const;

/** What `from` of an interaction may name, beside `properties.…`. */
const ofInteraction = [
  ...['id', 'kind', 'channel', 'provider', 'account', 'direction', 'occurredAt', 'text', 'subject'],
  ...['externalId', 'refersTo', 'conversationId', 'proof', 'identifiers', 'attachments'],
] as const;

const openEnded = {
  contact: /^(?:traits\..+|identifiers\.[a-z0-9-]+\.(?:primary|all))$/u,
  interaction: /^properties\..+$/u,
} as const;

/** Why a path leads nowhere; undefined where it may lead somewhere. */
export const pathFault = (path: string, subject: 'contact' | 'interaction'): string | undefined => {
  const known: readonly string[] = subject === 'contact' ? ofCustomer : ofInteraction;
  if (known.includes(path) || openEnded[subject].test(path)) return undefined;
  const nearest = nearestWord(path, [...known]);
  const more = subject === 'contact' ? 'traits.…, identifiers.<type>.primary' : 'properties.…';
  return nearest === undefined
    ? `expected one of ${known.join(', ')}, ${more}`
    : `there is no ${path}; did you mean ${nearest}?`;
};
