import { resolveCustomer } from '../../../core/identity/customer.ts';
import { isTriggeredBy } from '../../../core/triggers/decision.ts';
import { notificationId } from '../../../core/triggers/notification.ts';
import { Trigger } from '../../../core/triggers/trigger.ts';
import { type HashedKeys, hashedKeysLoader } from '../../../functions/aws/erasure/hashed-keys.ts';
import { seenOf } from '../../../functions/contracts/rows/interactions.ts';
import type { Runtime } from '../../../functions/contracts/runtime.ts';
import type { Cloud } from '../../../infra/local/runtime/cloud.ts';
import type { Sandboxes } from '../../../infra/scenario/hub/sandboxes.ts';
import { checkCrms, checkFigures, checkLists } from './projection-invariants.ts';
import { readState, rowKey, type StoredState } from './stored-state.ts';

/** The answers that providers got, by the text that makes each message unique. */
export interface ProviderAnswers {
  /** Answered with 2xx. */
  readonly acknowledged: readonly { readonly text: string; readonly identifier: string }[];
  /** Answered with 4xx. */
  readonly refused: readonly string[];
  /** Never answered, and not sent again: the hub may have stored it once or not at all. */
  readonly unanswered: readonly string[];
}

/** A hub with nothing left to process. */
export interface IdleHub {
  readonly cloud: Cloud;
  readonly crms: Sandboxes;
  readonly runtime: Runtime;
}

/**
 * Checks what the hub guarantees for deliveries that it has acknowledged. Call it when the hub is idle. Resolves to a
 * sentence for each broken invariant.
 */
export const brokenInvariants = async (hub: IdleHub, answers: ProviderAnswers): Promise<string[]> => {
  const state = await readState(hub.runtime);
  const name = [...hub.cloud.functions.values()][0]?.environment['HUB'];
  const hashedKeys = await hashedKeysLoader({ ...hub.runtime, env: { ...hub.runtime.env, HUB: name } })();
  return [
    ...checkDeliveries(state, answers),
    ...checkTransactions(state, hashedKeys),
    ...checkNotifications(state, hub.cloud),
    ...checkCrms(state, hub.crms, name ?? ''),
    ...checkFigures(state),
    ...checkLists(state),
    ...checkNothingPending(state, hub.cloud),
  ];
};

const canonicalId = (profileId: string, sourceProfiles: StoredState['sourceProfiles']): string => {
  const survivor = sourceProfiles.get(profileId)?.activity.survivor?.id;
  return survivor === undefined ? profileId : canonicalId(survivor, sourceProfiles);
};

/** An acknowledged message is stored once, with the customer who owns its identifier; a refused one is not stored. */
const checkDeliveries = (
  { interactions, sourceProfiles }: StoredState,
  { acknowledged, refused, unanswered }: ProviderAnswers,
): string[] => {
  const byText = Map.groupBy(
    interactions.filter(({ kind }) => kind !== 'notification'),
    ({ text }) => text ?? '',
  );
  const count = (text: string): number => byText.get(text)?.length ?? 0;
  const broken: string[] = [];
  for (const { text, identifier } of acknowledged) {
    const [interaction] = byText.get(text) ?? [];
    if (interaction === undefined || count(text) !== 1) {
      broken.push(`acknowledged "${text}" is stored ${count(text)} times`);
      continue;
    }
    const id = canonicalId(interaction.profileId, sourceProfiles);
    if (!resolveCustomer(id, sourceProfiles).identifiers.includes(identifier))
      broken.push(`"${text}" of ${identifier} is stored with customer ${id}, who does not own ${identifier}`);
  }
  for (const text of refused) if (count(text) > 0) broken.push(`refused "${text}" is stored`);
  for (const text of unanswered)
    if (count(text) > 1) broken.push(`unanswered "${text}" is stored ${count(text)} times`);
  return broken;
};

/** Whose record ids are references. */
const crms: ReadonlySet<string> = new Set(['salesforce', 'hubspot', 'servicenow']);

/** Of the rows that one transaction writes, all are stored or none. */
const checkTransactions = (
  { all, byKey, sourceProfiles, interactions }: StoredState,
  { seenKey }: HashedKeys,
): string[] => {
  const broken: string[] = [];
  for (const { pk, sk } of all)
    if ((sk === 'profile' || sk === 'activity') && !sourceProfiles.has(pk.slice('customer#'.length)))
      broken.push(`${pk} has only the row ${sk}`);
  for (const { id, profileId, occurredAt } of interactions)
    if (!byKey.has(rowKey(seenKey(id).pk, 'seen')))
      broken.push(`${profileId} ${occurredAt} ${id} has no seen row`);
  for (const row of all.filter(({ sk }) => sk === 'seen')) {
    const { address } = seenOf(row);
    if (
      address &&
      !byKey.has(rowKey(`customer#${address.profileId}`, `at#${address.occurredAt}#${address.id}`))
    )
      broken.push(`${row.pk} names an interaction that is not stored`);
  }
  for (const { profile, activity } of sourceProfiles.values()) {
    const stored = interactions.filter(({ profileId }) => profileId === profile.id).length;
    if (activity.interactions !== stored)
      broken.push(`customer ${profile.id} counts ${activity.interactions} interactions and has ${stored}`);
    for (const identifier of profile.identifiers)
      if (byKey.get(rowKey(`identifier#${identifier}`, 'owner'))?.['profileId'] !== profile.id)
        broken.push(`customer ${profile.id} lists ${identifier} and does not own it`);
  }
  for (const row of all.filter(({ sk }) => sk === 'owner')) {
    const identifier = row.pk.slice('identifier#'.length);
    const [crm = '', ...record] = identifier.split(':');
    if (crms.has(crm)) {
      // The id of a CRM's record is a reference: the sync state of the same source profile holds it.
      const state = byKey.get(rowKey(`customer#${String(row['profileId'])}`, `sync#${crm}`));
      if (state?.['record'] !== record.join(':') && state?.['goneAt'] === undefined)
        broken.push(`${row.pk} is owned by ${String(row['profileId'])}, whose contact is another record`);
      continue;
    }
    const owner = sourceProfiles.get(String(row['profileId']));
    if (!owner?.profile.identifiers.includes(identifier))
      broken.push(`${row.pk} is owned by ${String(row['profileId'])}, which does not list it`);
  }
  return broken;
};

const publishedTriggers = ({ all, byKey }: StoredState): Trigger[] =>
  all
    .filter(({ pk, sk }) => pk.startsWith('trigger#') && sk === 'current')
    .flatMap(({ pk, version }) => {
      const row = byKey.get(rowKey(pk, `v#${String(version)}`));
      return row === undefined ? [] : [Trigger.parse(row['definition'])];
    });

/** Every matching interaction has a decision; what was sent is recorded once; marketing is sent at most once. */
const checkNotifications = (state: StoredState, cloud: Cloud): string[] => {
  const { interactions, notifications } = state;
  const broken: string[] = [];
  const byId = new Map(notifications.map((one) => [notificationId(one), one]));
  // An event that arrives while a series runs leaves no entry.
  for (const trigger of publishedTriggers(state).filter(({ steps }) => steps === undefined))
    for (const interaction of interactions)
      if (
        isTriggeredBy(trigger, interaction, Date.parse(interaction.receivedAt)) &&
        !byId.has(notificationId({ ...interaction, trigger: trigger.id, interaction: interaction.id }))
      )
        broken.push(`${trigger.id} has no decision for ${interaction.id}`);
  // The value of an e-mail's tag has no dot.
  const tagOf = (id: string): string => id.replaceAll('.', '_');
  const copies = new Map<string, number>();
  for (const { tags = {} } of cloud.sentMessages.list()) {
    const tag = tagOf(tags['notification'] ?? '');
    copies.set(tag, (copies.get(tag) ?? 0) + 1);
  }
  for (const [id, { status, category }] of byId) {
    const sent = copies.get(tagOf(id)) ?? 0;
    const recorded = interactions.filter(
      ({ kind, properties }) => kind === 'notification' && properties?.['notification'] === id,
    ).length;
    if (status === 'reserved' || status === 'sending')
      broken.push(`notification ${id} is stuck as ${status}`);
    if (category === 'marketing' && sent > 1) broken.push(`marketing ${id} was sent ${sent} times`);
    if (status === 'sent' && sent === 0)
      broken.push(`notification ${id} has the status sent and was not sent`);
    if (status === 'sent' && recorded !== 1) broken.push(`sent ${id} is recorded ${recorded} times`);
    if (status !== 'sent' && recorded > 0) broken.push(`${status} ${id} is recorded as sent`);
    if (status !== 'sent' && sent > 0 && category !== 'marketing')
      broken.push(`${status} ${id} was sent ${sent} times`);
  }
  for (const { pk, sk, endedAt, step } of state.all)
    if (sk.startsWith('series#') && endedAt === undefined)
      broken.push(`${pk} ${sk} stands at ${String(step)}`);
  const tags = new Set([...byId.keys()].map(tagOf));
  for (const tag of copies.keys())
    if (!tags.has(tag)) broken.push(`a message of ${tag || 'no notification'} was sent without a decision`);
  return broken;
};

/** An idle hub has no failure, no queued message and no pending event. */
const checkNothingPending = ({ all }: StoredState, cloud: Cloud): string[] => {
  const broken = all
    .filter(({ pk }) => pk.startsWith('failure#'))
    // Marketing whose send is uncertain becomes a failure on purpose.
    .filter(({ code }) => code !== 'uncertain-send')
    .map(({ pk, reason }) => `${pk}: ${String(reason)}`);
  for (const { attributes } of cloud.created.values()) {
    if (attributes?.['QueueUrl'] === undefined) continue;
    const { visible, hidden } = cloud.queue(attributes['Arn'] ?? '');
    if (visible + hidden > 0) broken.push(`${attributes['QueueName']} holds ${visible + hidden} messages`);
  }
  const events = Number(cloud.db.prepare('SELECT count(*) AS open FROM events_deliveries').get()?.['open']);
  if (events > 0) broken.push(`${events} events are not delivered`);
  return broken;
};
