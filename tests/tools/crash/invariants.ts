import { isDeepStrictEqual } from 'node:util';
import { customerView } from '../../../core/crm/customer-view.ts';
import { type CompiledMapping, compileMapping } from '../../../core/crm/mapping.ts';
import { resolveCustomer, type SourceProfile } from '../../../core/identity/customer.ts';
import { IdentityConfig } from '../../../core/identity/rules.ts';
import { Amounts, added, countable } from '../../../core/timeline/figures.ts';
import { placesOf } from '../../../core/timeline/lists.ts';
import { concerns } from '../../../core/triggers/decision.ts';
import { type Notification, notificationId } from '../../../core/triggers/notification.ts';
import { Trigger } from '../../../core/triggers/trigger.ts';
import { type HashedKeys, hashedKeysLoader } from '../../../functions/aws/erasure/hashed-keys.ts';
import {
  type InteractionRow,
  interactionOf,
  seenOf,
} from '../../../functions/contracts/rows/interactions.ts';
import { activityOf, profileOf } from '../../../functions/contracts/rows/people.ts';
import type { Row } from '../../../functions/contracts/rows/row.ts';
import { notificationOf } from '../../../functions/contracts/rows/triggers.ts';
import type { Runtime } from '../../../functions/contracts/runtime.ts';
import type { Cloud } from '../../../infra/local/runtime/cloud.ts';
import type { Sandboxes } from '../../../infra/scenario/hub/sandboxes.ts';
import { scanTable } from '../../../infra/scenario/hub/scan-table.ts';

/** What providers have been told, by the text that makes each of their messages unique. */
export interface Acknowledged {
  /** Answered with 2xx. */
  readonly acknowledged: readonly { readonly text: string; readonly identifier: string }[];
  /** Answered with 4xx. */
  readonly refused: readonly string[];
  /** Never answered, and given up by the provider: the hub may hold it once or not at all. */
  readonly unanswered: readonly string[];
}

/** A hub at rest, as whoever checks it reads it. */
export interface Rest {
  readonly cloud: Cloud;
  readonly crms: Sandboxes;
  readonly runtime: Runtime;
}

/** The table read into what the hub's words name. */
interface Holdings {
  readonly rows: ReadonlyMap<string, Row>;
  readonly sourceProfiles: ReadonlyMap<string, SourceProfile>;
  readonly acts: readonly InteractionRow[];
  readonly notifications: readonly Notification[];
}

const keyOf = (pk: string, sk: string): string => `${pk} ${sk}`;

/** What the hub promises to whoever was told 2xx, checked on a hub at rest: one sentence for each promise that does not hold. */
export const brokenInvariants = async (rest: Rest, told: Acknowledged): Promise<string[]> => {
  const all = await scanTable(rest.runtime);
  const broken: string[] = [];
  const sourceProfiles = new Map<string, SourceProfile>();
  const rows = new Map(all.map((row) => [keyOf(row.pk, row.sk), row]));
  for (const { pk, sk } of all) {
    if (sk !== 'profile' && sk !== 'activity') continue;
    const [profile, activity] = [rows.get(keyOf(pk, 'profile')), rows.get(keyOf(pk, 'activity'))];
    if (profile === undefined || activity === undefined) broken.push(`${pk} is half-written: only ${sk}`);
    else
      sourceProfiles.set(profileOf(profile).id, {
        profile: profileOf(profile),
        activity: activityOf(activity),
      });
  }
  const holdings: Holdings = {
    rows,
    sourceProfiles,
    acts: all.filter(({ sk }) => sk.startsWith('at#')).map(interactionOf),
    notifications: all.filter(({ sk }) => sk.startsWith('notification#')).map(notificationOf),
  };
  const hub = [...rest.cloud.functions.values()][0]?.environment['HUB'];
  const hashedKeys = await hashedKeysLoader({ ...rest.runtime, env: { ...rest.runtime.env, HUB: hub } })();
  return [
    ...broken,
    ...timelines(holdings, told),
    ...links(all, holdings, hashedKeys),
    ...decided(all, holdings, rest.cloud),
    ...synced(all, holdings, rest.crms),
    ...figured(all, holdings),
    ...listed(all, holdings),
    ...leftOver(all, rest),
  ];
};

const rootOf = (profileId: string, sourceProfiles: Holdings['sourceProfiles']): string => {
  const survivor = sourceProfiles.get(profileId)?.activity.survivor?.id;
  return survivor === undefined ? profileId : rootOf(survivor, sourceProfiles);
};

/** Acknowledged: once, and with the right person. Refused: not at all. */
const timelines = (
  { acts, sourceProfiles }: Holdings,
  { acknowledged, refused, unanswered }: Acknowledged,
): string[] => {
  const byText = new Map<string, InteractionRow[]>();
  for (const act of acts.filter(({ kind }) => kind !== 'notification'))
    byText.set(act.text ?? '', [...(byText.get(act.text ?? '') ?? []), act]);
  const count = (text: string): number => byText.get(text)?.length ?? 0;
  const broken: string[] = [];
  for (const { text, identifier } of acknowledged) {
    const [act] = byText.get(text) ?? [];
    if (act === undefined || count(text) !== 1)
      broken.push(`acknowledged "${text}" is there ${count(text)} times`);
    else {
      const customer = resolveCustomer(rootOf(act.profileId, sourceProfiles), sourceProfiles);
      if (!customer.identifiers.includes(identifier))
        broken.push(
          `"${text}" of ${identifier} is with customer ${customer.id}, who holds no such identifier`,
        );
    }
  }
  for (const text of refused) if (count(text) > 0) broken.push(`refused "${text}" is there`);
  for (const text of unanswered)
    if (count(text) > 1) broken.push(`unanswered "${text}" is there ${count(text)} times`);
  return broken;
};

/** Rows that one transaction writes together are all there or none is. */
const links = (
  all: readonly Row[],
  { rows, sourceProfiles, acts }: Holdings,
  { seenKey }: HashedKeys,
): string[] => {
  const broken: string[] = [];
  for (const { id, profileId, occurredAt } of acts)
    if (!rows.has(keyOf(seenKey(id).pk, 'seen')))
      broken.push(`${profileId} ${occurredAt} ${id} has no seen row`);
  for (const row of all.filter(({ sk }) => sk === 'seen')) {
    const { address } = seenOf(row);
    if (
      address &&
      !rows.has(keyOf(`customer#${address.profileId}`, `at#${address.occurredAt}#${address.id}`))
    )
      broken.push(`${row.pk} names an interaction that is not there`);
  }
  for (const { profile, activity } of sourceProfiles.values()) {
    const counted = acts.filter(({ profileId }) => profileId === profile.id).length;
    if (activity.interactions !== counted)
      broken.push(`customer ${profile.id} counts ${activity.interactions} interactions and has ${counted}`);
    for (const identifier of profile.identifiers)
      if (rows.get(keyOf(`identifier#${identifier}`, 'owner'))?.['profileId'] !== profile.id)
        broken.push(`${identifier} of customer ${profile.id} is not owned by it`);
  }
  for (const row of all.filter(({ sk }) => sk === 'owner'))
    if (
      !sourceProfiles
        .get(String(row['profileId']))
        ?.profile.identifiers.includes(row.pk.slice('identifier#'.length))
    )
      broken.push(`${row.pk} is owned by ${String(row['profileId'])}, which does not hold it`);
  return broken;
};

const triggersOf = (all: readonly Row[]): Trigger[] =>
  all
    .filter(({ pk, sk }) => pk.startsWith('trigger#') && sk === 'current')
    .flatMap(({ pk, version }) => {
      const found = all.find((row) => row.pk === pk && row.sk === `v#${String(version)}`);
      return found === undefined ? [] : [Trigger.parse(found['definition'])];
    });

/** Every event that a trigger concerns was decided; what was sent was recorded once; marketing was sent at most once. */
const decided = (all: readonly Row[], { acts, notifications }: Holdings, cloud: Cloud): string[] => {
  const broken: string[] = [];
  const byId = new Map(notifications.map((one) => [notificationId(one), one]));
  const triggers = triggersOf(all);
  for (const act of acts)
    for (const trigger of triggers)
      if (
        concerns(trigger, act, Date.parse(act.receivedAt)) &&
        !byId.has(notificationId({ ...act, trigger: trigger.id, interaction: act.id }))
      )
        broken.push(`${trigger.id} was never decided for ${act.id}`);
  const copies = new Map<string, number>();
  for (const { tags = {} } of cloud.sentMessages.list()) {
    // An e-mail's tag may not hold a dot.
    const id = (tags['notification'] ?? '').replaceAll('.', '_');
    copies.set(id, (copies.get(id) ?? 0) + 1);
  }
  for (const [id, { status, category }] of byId) {
    const sent = copies.get(id.replaceAll('.', '_')) ?? 0;
    const recorded = acts.filter(
      ({ kind, properties }) => kind === 'notification' && properties?.['notification'] === id,
    ).length;
    if (status === 'claimed' || status === 'sending') broken.push(`notification ${id} is stuck as ${status}`);
    if (category === 'marketing' && sent > 1) broken.push(`marketing ${id} was sent ${sent} times`);
    if (status === 'sent' && sent === 0) broken.push(`notification ${id} counts as sent and was not`);
    if (status === 'sent' && recorded !== 1) broken.push(`sent ${id} is recorded ${recorded} times`);
    if (status !== 'sent' && recorded > 0) broken.push(`${status} ${id} is recorded as sent`);
    if (status !== 'sent' && sent > 0 && category !== 'marketing')
      broken.push(`${status} ${id} was sent ${sent} times`);
  }
  for (const id of copies.keys())
    if (![...byId.keys()].some((one) => one.replaceAll('.', '_') === id))
      broken.push(`a message of ${id || 'nobody'} was sent that nobody decided`);
  return broken;
};

/** Each CRM holds every customer and every interaction that its mapping names, once, as they are now. */
const synced = (all: readonly Row[], { acts, sourceProfiles }: Holdings, crms: Sandboxes): string[] => {
  const body = (name: string): unknown =>
    all.find(({ pk, sk }) => pk === `config#${name}` && sk === 'current')?.['body'];
  const identity = IdentityConfig.parse(body('identity'));
  return crms.names.flatMap((crm) => {
    const { records } = crm === 'salesforce' ? crms.salesforce : crms.hubspot;
    const mapping = compileMapping(crm, body(`crm/${crm}`));
    const wanted = new Map<string, Set<string>>();
    const broken: string[] = [];
    const want = (object: string, key: string): void => {
      wanted.set(object, (wanted.get(object) ?? new Set()).add(key));
      if (records.byKey(object, key) === undefined) broken.push(`${crm} has no ${object} ${key}`);
    };
    for (const { profile, activity } of sourceProfiles.values()) {
      if (activity.survivor !== undefined) {
        // The contact of somebody who was merged later stays.
        wanted.set(mapping.contact.object, (wanted.get(mapping.contact.object) ?? new Set()).add(profile.id));
        continue;
      }
      // Whoever was imported reaches a CRM with the first thing that happens to them.
      const customer = resolveCustomer(profile.id, sourceProfiles);
      const own = new Set(customer.sourceProfiles.map((sourceProfile) => sourceProfile.profile.id));
      if (!acts.some(({ profileId }) => own.has(profileId))) continue;
      want(mapping.contact.object, profile.id);
      broken.push(...stale(crm, mapping, customer, identity, records));
    }
    for (const act of acts) {
      const { caused: _caused, customer: _customer, profileId: _half, ...interaction } = act;
      const rule = mapping.forInteraction(interaction);
      if (rule) want(rule.object, act.id);
    }
    for (const [object, keys] of wanted)
      for (const { key } of records.of(object))
        if (!keys.has(key)) broken.push(`${crm} has ${object} ${key}, which the hub does not know`);
    return broken;
  });
};

const stale = (
  crm: string,
  { contact }: CompiledMapping,
  customer: ReturnType<typeof resolveCustomer>,
  identity: IdentityConfig,
  records: Sandboxes['salesforce']['records'],
): string[] => {
  const held = records.byKey(contact.object, customer.id)?.fields ?? {};
  const now = contact.fields(customerView(customer, identity), contact.once);
  return Object.entries(now)
    .filter(([name, value]) => String(held[name]) !== String(value))
    .map(([name]) => `${crm} ${contact.object} ${customer.id} has an old ${name}`);
};

/** The figures are the sum of what happened. */
const figured = (all: readonly Row[], { acts }: Holdings): string[] => {
  const sum = (amounts: readonly Amounts[]): Amounts => {
    const { suppressed: _s, failed: _f, ...rest } = amounts.reduce(added, {});
    return rest;
  };
  const kept = all.filter(({ pk }) => pk.startsWith('figures#'));
  const figures = sum(kept.map(({ pk: _pk, sk: _sk, ...amounts }) => Amounts.parse(amounts)));
  const happened = sum(acts.flatMap((act) => countable(act, act.caused?.reply)?.amounts ?? []));
  return isDeepStrictEqual(figures, happened)
    ? []
    : [`the figures are ${JSON.stringify(figures)}, and ${JSON.stringify(happened)} happened`];
};

/** The lists that people read have every customer where they stand, and nobody else. */
const listed = (all: readonly Row[], { sourceProfiles }: Holdings): string[] => {
  const roots = [...sourceProfiles.values()].filter(({ activity }) => activity.survivor === undefined);
  const wanted = new Set(
    roots
      .flatMap(({ profile }) => placesOf(resolveCustomer(profile.id, sourceProfiles)))
      .map(({ part, key }) => keyOf(`list#${part}`, key)),
  );
  const present = new Set(
    all.filter(({ pk }) => /^list#(?:recent|name|waiting)#/u.test(pk)).map(({ pk, sk }) => keyOf(pk, sk)),
  );
  return [
    ...[...wanted.difference(present)].map((place) => `nobody stands at ${place}`),
    ...[...present.difference(wanted)].map(
      (place) => `somebody stands at ${place}, who does not belong there`,
    ),
  ];
};

/** A hub at rest holds nothing back. */
const leftOver = (all: readonly Row[], { cloud }: Rest): string[] => {
  const broken = all
    .filter(({ pk }) => pk.startsWith('failure#'))
    // Marketing whose send is in doubt is a failure on purpose.
    .filter(({ code }) => code !== 'uncertain-send')
    .map(({ pk, reason }) => `${pk}: ${String(reason)}`);
  for (const { attributes } of cloud.created.values()) {
    if (attributes?.['QueueUrl'] === undefined) continue;
    const { visible, hidden } = cloud.queue(attributes['Arn'] ?? '');
    if (visible + hidden > 0) broken.push(`${attributes['QueueName']} holds ${visible + hidden} messages`);
  }
  const events = Number(cloud.db.prepare('SELECT count(*) AS open FROM events_deliveries').get()?.['open']);
  if (events > 0) broken.push(`${events} events are on their way`);
  return broken;
};
