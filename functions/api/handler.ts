import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { usedSenders } from '../../core/config/hub-config.ts';
import { signingKeys } from '../../core/consent/signed-link.ts';
import type { SyncState } from '../../core/crm/state.ts';
import { receiptKey } from '../../core/privacy/signature.ts';
import { templateFaults } from '../../core/triggers/message/faults.ts';
import { waitingOf } from '../../core/triggers/results/report.ts';
import { bucket } from '../aws/clients/bucket.ts';
import { clientConfig } from '../aws/clients/config.ts';
import { type Table, table } from '../aws/clients/dynamo.ts';
import { sendTo } from '../aws/clients/queue.ts';
import { sendAllTo } from '../aws/clients/queue-many.ts';
import { readSecret } from '../aws/clients/secret.ts';
import { addressees, addressReader } from '../aws/customers/addresses.ts';
import { figures } from '../aws/customers/figures.ts';
import { guests } from '../aws/customers/guests.ts';
import { history } from '../aws/customers/history.ts';
import { placesOfPart } from '../aws/customers/lists/lists.ts';
import { reviews } from '../aws/customers/reviews.ts';
import { timelines } from '../aws/customers/timeline.ts';
import { erasures } from '../aws/erasure/erasures.ts';
import { type HashedKeys, hashedKeysLoader } from '../aws/erasure/hashed-keys.ts';
import { channels } from '../aws/operations/channels.ts';
import { commandOutcomes } from '../aws/operations/command-outcomes.ts';
import { config, linkScopes } from '../aws/operations/configuration.ts';
import { connections } from '../aws/operations/connections.ts';
import { failures } from '../aws/operations/failures.ts';
import { jobs } from '../aws/operations/jobs.ts';
import { replay } from '../aws/operations/replay.ts';
import { sendToStage, stageQueues } from '../aws/operations/replays.ts';
import { notifications } from '../aws/triggers/notifications.ts';
import { testMessages } from '../aws/triggers/test-messages.ts';
import { triggerFigures } from '../aws/triggers/trigger-figures.ts';
import { triggers } from '../aws/triggers/triggers.ts';
import { kinds } from '../contracts/jobs/kinds.ts';
import {
  claimPartition,
  claimPrefix,
  guestKey,
  identifierKey,
  isGuestKey,
  isOwnerKey,
  profileIdOf,
  syncStateKey,
} from '../contracts/keys.ts';
import type { StoredInteraction } from '../contracts/ports/history.ts';
import { seenOf } from '../contracts/rows/interactions.ts';
import { guestOf, ownerOf } from '../contracts/rows/people.ts';
import { syncStateOf } from '../contracts/rows/sync.ts';
import type { TestMessageRow } from '../contracts/rows/triggers.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { httpStack } from '../middleware/http.ts';
import { lambda } from '../middleware/lambda.ts';
import { api } from './api.ts';
import { apiKeys } from './api-keys.ts';
import { confirm } from './pages/confirm.ts';
import { preferences } from './pages/preferences.ts';
import { redirect } from './pages/redirect.ts';
import { unsubscribe } from './pages/unsubscribe.ts';
import { downloads } from './routes/customers/attachments.ts';
import type { CrmContact } from './routes/customers/merges.ts';

export const create = (runtime: Runtime) => {
  const rows = table(runtime);
  const queue = runtime.env['QUEUE_URL_DELIVERIES'];
  const enqueue = sendTo(runtime, queue);
  const shared = { history: history(rows), enqueue, now: runtime.now, newId: runtime.newId };
  const running = config(runtime, rows);
  const secret = readSecret(runtime);
  const loadHashedKeys = hashedKeysLoader(runtime);
  const hubSigningKeys = async () => signingKeys(await secret(`${runtime.env['HUB']}/signing`));
  const pagePorts = {
    ...{ enqueue, now: runtime.now, hub: running.hub, signingKeys: hubSigningKeys },
    addressees: addressees(rows),
  };
  /** The pages for customers, by the first part of their path. The token in their links replaces an API key. */
  const pages: Readonly<Record<string, ReturnType<typeof api>>> = {
    unsubscribe: unsubscribe(pagePorts),
    preferences: preferences(pagePorts),
    confirm: confirm(pagePorts),
    r: redirect({ ...pagePorts, notifications: notifications(rows, running.hub, runtime.now) }),
  };
  const stored = failures(runtime, rows);
  const countedTriggers = triggerFigures(rows, runtime);
  const decisions = notifications(rows, running.hub, runtime.now);
  const shownGuests = guests(rows, running.identity);
  const files = bucket(runtime);
  const use = api({
    ...shared,
    places: placesOfPart(rows),
    figures: figures(rows, runtime),
    timeZone: async () => (await running.hub()).timeZone,
    isClosed: async (identifier) =>
      (await pagePorts.addressees.of(identifier))?.owner?.customer.closed[identifier] !== undefined,
    silence: async () => (await running.hub()).conversation.silence,
    guests: shownGuests,
    personOf: shownGuests.personOf,
    addressees: pagePorts.addressees,
    timelines: timelines(rows, loadHashedKeys),
    enqueueAll: sendAllTo(runtime, queue),
    async interaction(id) {
      const [row] = await rows.get([(await loadHashedKeys()).seenKey(id)]);
      const address = row && seenOf(row).address;
      return address && shared.history.interaction(address);
    },
    download: downloads({ bucket: files, now: runtime.now }),
    async owner(identifier) {
      const found = await rows.get([identifierKey(identifier), guestKey(identifier)]);
      const [owner, guest] = [found.find(isOwnerKey), found.find(isGuestKey)];
      return owner ? ownerOf(owner).profileId : guest && guestOf(guest).profileId;
    },
    reviews: reviews(rows),
    interactions: (ids) => interactionsById(rows, loadHashedKeys, ids),
    async owners(identifiers) {
      const found = await rows.get(identifiers.map(identifierKey));
      return new Map(found.map(ownerOf).map(({ identifier, profileId }) => [identifier, profileId]));
    },
    async isClaimed(identifier) {
      const [guest] = await rows.get([guestKey(identifier)]);
      if (guest !== undefined) return true;
      for await (const _ of rows.query(claimPartition(identifier), { beginsWith: claimPrefix })) return true;
      return false;
    },
    identity: running.identity,
    channels: channels(runtime, rows),
    providers: async () => Object.keys((await running.hub()).channels),
    connections: connections(runtime, rows),
    crms: async () => Object.keys((await running.hub()).crms),
    senders: async () => [...usedSenders(await running.hub())].sort(),
    crmMapping: running.crmMapping,
    syncStates: (crm, profileIds) => syncStates(rows, crm, profileIds),
    contacts: async (profileIds) => crmContacts(rows, Object.keys((await running.hub()).crms), profileIds),
    outcome: commandOutcomes(runtime, rows, loadHashedKeys).of,
    isAuthorized: apiKeys(runtime),
    failures: stored,
    replay: replay({ failures: stored, enqueue: stageQueues(runtime), now: runtime.now }),
    jobs: jobs(runtime, rows),
    erasures: erasures(rows),
    loadHashedKeys,
    receiptKeys: async () => (await hubSigningKeys()).map(receiptKey),
    kinds,
    presign: files.presign,
    ...{ hub: running.hub, templateFaults },
    hubName: runtime.env['HUB'] ?? '',
    signingKeys: hubSigningKeys,
    addresses: addressReader(rows, running.identity),
    notifications: decisions,
    reservations: decisions.reservations,
    triggers: triggers(rows),
    async sendTest(profileId: string | undefined, message: TestMessageRow) {
      const test = runtime.newId();
      const address = { test, ...(profileId !== undefined && { profileId }) };
      await testMessages(rows, runtime.now).save(address, message);
      await sendToStage(runtime)('notify', address);
      return test;
    },
    triggerFigures: countedTriggers,
    waiting: async (trigger) => waitingOf(await countedTriggers.of(trigger)),
    publishing: {
      events: new EventBridgeClient(clientConfig(runtime)),
      ...{ table: rows, triggers: triggers(rows), templateFaults, hub: running.hub, now: runtime.now },
      bus: runtime.env['BUS'] ?? '',
      decisionsQueue: runtime.env['QUEUE_ARN_DECISIONS'] ?? '',
      deadQueue: runtime.env['DEAD_ARN_DECISIONS'] ?? '',
    },
  });
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
    .use(httpStack('api', ['unknown-failure', 'unknown-crm', 'unknown-trigger']))
    .handler((event) => (pages[event.routeKey.split('/')[1] ?? ''] ?? use)(event));
};

const interactionsById = async (
  table: Table,
  loadHashedKeys: () => Promise<HashedKeys>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, StoredInteraction>> => {
  const { seenKey } = await loadHashedKeys();
  const addresses = (await table.get(ids.map(seenKey))).flatMap((row) => seenOf(row).address ?? []);
  const found = await history(table).interactions(addresses);
  return new Map(found.map((one) => [one.id, one]));
};

const syncStates = async (
  table: Table,
  crm: string,
  profileIds: readonly string[],
): Promise<ReadonlyMap<string, SyncState>> => {
  const scope = (await linkScopes(table, [crm])).get(crm) ?? crm;
  const rows = await table.get(profileIds.map((id) => syncStateKey(id, scope)));
  return new Map(rows.map((row) => [profileIdOf(row), syncStateOf(row)]));
};

const crmContacts = async (
  table: Table,
  crms: readonly string[],
  profileIds: readonly string[],
): Promise<CrmContact[]> => {
  const found: CrmContact[] = [];
  for (const crm of crms)
    for (const [profileId, { record }] of await syncStates(table, crm, profileIds))
      if (record !== undefined) found.push({ crm, profileId, contact: record });
  return found;
};

export const handler = lambda(create);
