import { identifierType, identifierValue } from '../../../core/identity/identifier.ts';
import { isReport } from '../../../core/identity/proof/vouched.ts';
import type { DecodedInteraction } from '../../../core/interaction/interaction.ts';
import type { HttpAnswer } from '../../../core/webhooks/channel.ts';
import type { ExpectedAnswer, ExpectedEvent } from '../../../infra/scenario/webhook-case/case.ts';

const identifierTypes: Readonly<Record<string, string>> = {
  psid: 'messenger',
  igsid: 'instagram',
  wa_id: 'whatsapp',
  bsuid: 'whatsapp-user',
  parent_bsuid: 'whatsapp-parent-user',
  telegram_user_id: 'telegram',
  line_user_id: 'line',
  slack_user_id: 'slack',
  viber_user_id: 'viber',
  discord_user_id: 'discord',
  teams_user_id: 'teams',
  aad_object_id: 'aad',
  x_user_id: 'x',
  tiktok_user_id: 'tiktok',
  tiktok_open_id: 'tiktok',
  apple_mbid: 'apple',
  external_id: 'user-id',
  segment_user_id: 'user-id',
  segment_anonymous_id: 'anonymous',
  intercom_contact_id: 'intercom',
  zendesk_user_id: 'zendesk',
  chatwoot_contact_id: 'chatwoot',
  shopify_customer_id: 'shopify',
  stripe_customer_id: 'stripe',
  hubspot_contact_id: 'hubspot',
  salesforce_contact_id: 'salesforce',
  servicenow_user_id: 'servicenow',
};

const channels: Readonly<Record<string, string>> = {
  mms: 'sms',
  'whatsapp-call': 'voice',
  intercom: 'chat',
  zendesk: 'chat',
  chatwoot: 'chat',
  'hubspot-conversations': 'chat',
  typeform: 'form',
  calendly: 'form',
  'facebook-lead-ad': 'form',
  segment: 'web',
  'shopify-online': 'web',
  'in-store': 'in-person',
  'apple-messages': 'apple',
  hubspot: 'crm',
  salesforce: 'crm',
  servicenow: 'crm',
};

const lastPart = (value: string): string => value.slice(value.lastIndexOf(':') + 1);
const isHandle = (type: string): boolean => type.endsWith('_username');

/** What differs between an answer and the one expected. */
export const gradeAnswer = (expected: ExpectedAnswer, answer: HttpAnswer): string[] => {
  const differences: string[] = [];
  const statuses = expected.status === undefined ? undefined : [expected.status].flat();
  if (statuses && !statuses.includes(answer.status))
    differences.push(`status: expected ${statuses.join(' or ')}, found ${answer.status}`);
  const body = answer.body ?? '';
  const bodies = expected.bodyOneOf ?? (expected.body === undefined ? undefined : [expected.body]);
  if (bodies && !bodies.includes(body))
    differences.push(`body: expected ${JSON.stringify(bodies)}, found ${JSON.stringify(body)}`);
  for (const part of [expected.bodyContains ?? []].flat())
    if (!body.includes(part)) differences.push(`body: expected it to contain ${JSON.stringify(part)}`);
  if (expected.json !== undefined && canonical(JSON.parse(body || 'null')) !== canonical(expected.json))
    differences.push(`json: expected ${JSON.stringify(expected.json)}, found ${body}`);
  return differences;
};

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );

/** What differs between a delivery's interactions and those expected, matched by their keys where these agree, else by order. */
export const gradeEvents = (
  expected: readonly ExpectedEvent[],
  found: readonly DecodedInteraction[],
  provider: string,
): string[] => {
  const stored = [...new Map(found.map((one) => [one.key, one])).values()];
  const wanted = dropDuplicates(expected.filter(({ duplicate }) => duplicate !== true));
  const left = new Set(stored);
  const pairs: (readonly [ExpectedEvent, DecodedInteraction | undefined])[] = [];
  const byKey = new Map(wanted.map((event) => [event, stored.find(({ key }) => event.dedupeKey === key)]));
  for (const interaction of byKey.values()) if (interaction) left.delete(interaction);
  for (const event of wanted) {
    const keyed = byKey.get(event);
    const match =
      keyed ??
      [...left].find((one) => gradeEvent(event, one, provider).length === 0) ??
      (event.optional === true ? undefined : [...left][0]);
    if (match) left.delete(match);
    pairs.push([event, match]);
  }
  const differences = pairs.flatMap(([event, interaction], position) => {
    if (interaction)
      return gradeEvent(event, interaction, provider).map((difference) => `event ${position}: ${difference}`);
    return event.optional === true ? [] : [`event ${position}: expected ${event.kind}, found none`];
  });
  const extra = [...left].filter(({ kind }) => kind !== 'unknown');
  return [...differences, ...extra.map(({ kind, key }) => `found ${kind} ${key}, not expected`)];
};

const dropDuplicates = (events: readonly ExpectedEvent[]): ExpectedEvent[] => {
  const seen = new Set<string>();
  return events.filter(({ dedupeKey }) => {
    if (dedupeKey === null || dedupeKey === undefined) return true;
    const first = !seen.has(dedupeKey);
    seen.add(dedupeKey);
    return first;
  });
};

const gradeEvent = (event: ExpectedEvent, one: DecodedInteraction, provider: string): string[] => {
  const differences: string[] = [];
  const compare = (name: string, expected: unknown, found: unknown): void => {
    if (expected !== found)
      differences.push(`${name}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
  };
  const kind = sameKind(event, one);
  if (!kind) compare('kind', event.kind, one.kind);
  const reads = isRead(event.kind, event.status) && isRead(one.kind, one.properties?.['status']);
  if (event.direction && event.kind !== 'unknown' && !reads)
    compare('direction', event.direction, one.direction);
  if (event.channel) compare('channel', channels[event.channel] ?? event.channel, one.channel);
  if (event.externalMessageId) compare('externalMessageId', event.externalMessageId, one.externalId);
  // A case that does not mention the text says nothing about it.
  if (event.text !== undefined) compare('text', (event.text ?? '').trim(), (one.text ?? '').trim());
  if (event.timestamp) compare('timestamp', event.timestamp, one.occurredAt);
  return [...differences, ...gradeIdentifiers(event, one, provider), ...gradeClaimed(event, one)];
};

const isRead = (kind: string, status: unknown): boolean =>
  kind === 'read' || (kind === 'delivery-status' && (status === 'read' || status === 'seen'));

const sameKind = (event: ExpectedEvent, one: DecodedInteraction): boolean => {
  if (event.kind === one.kind) return true;
  if (isRead(event.kind, event.status) && isRead(one.kind, one.properties?.['status'])) return true;
  // The cases have no word of their own for it.
  if (one.kind === 'privacy-export' && event.kind === 'system') return true;
  if (one.kind === 'behaviour')
    return (
      one.channel === 'web' &&
      ['order', 'form', 'opt-in', 'contact-update', 'system', 'message'].includes(event.kind)
    );
  // A failed outbound message may be a bounce, on e-mail only; a soft refusal must not be one.
  const [kinds, failed] = [new Set([event.kind, one.kind]), /fail|bounce|reject|drop|block/iu];
  return (
    one.channel === 'email' &&
    kinds.has('bounce') &&
    kinds.has('delivery-status') &&
    failed.test(event.status ?? '')
  );
};

const normalIdentifier = (type: string, value: string): string =>
  `${type}:${type === 'email' ? value.trim().toLowerCase() : type === 'phone' ? value : lastPart(value)}`;
const expectedIdentifier = ({ type, value }: { readonly type: string; readonly value: string }): string =>
  normalIdentifier(identifierTypes[type] ?? type, value);
const foundIdentifier = (identifier: string): string =>
  normalIdentifier(identifierType(identifier), identifierValue(identifier));

/** Which of the listed identifiers nobody vouches for. A report about a message of ours proves nothing, so it has none. */
const gradeClaimed = (event: ExpectedEvent, one: DecodedInteraction): string[] => {
  if (!event.claimedIdentifiers || isReport(one)) return [];
  const listed = new Set((event.contactIdentifiers ?? []).map(expectedIdentifier));
  const expected = new Set(event.claimedIdentifiers.map(expectedIdentifier));
  const found = new Set((one.claimed ?? []).map(foundIdentifier).filter((claimed) => listed.has(claimed)));
  return [
    ...[...expected.difference(found)].map((claimed) => `claimed: expected ${claimed}, found proven`),
    ...[...found.difference(expected)].map((claimed) => `claimed: expected ${claimed} to be proven`),
  ];
};

const gradeIdentifiers = (event: ExpectedEvent, one: DecodedInteraction, provider: string): string[] => {
  const listed = (event.contactIdentifiers ?? []).filter(({ type }) => !isHandle(type));
  const expected = new Set(listed.map(expectedIdentifier));
  const found = new Set(one.identifiers.map(foundIdentifier));
  const derived = new Set(
    [...expected].flatMap((identifier) =>
      identifierType(identifier) === 'whatsapp'
        ? [`phone:+${identifierValue(identifier)}`]
        : identifierType(identifier) === 'phone'
          ? [`whatsapp:${identifierValue(identifier).slice(1)}`]
          : [],
    ),
  );
  const missing = [...expected].filter((identifier) => !found.has(identifier));
  const wrong = event.contactIdentifiers
    ? [...found].filter(
        (identifier) =>
          !expected.has(identifier) && !derived.has(identifier) && identifierType(identifier) !== provider,
      )
    : [];
  return [
    ...missing.map((identifier) => `identifier: expected ${identifier}, not found`),
    ...wrong.map((identifier) => `identifier: found ${identifier}, not expected`),
  ];
};
