import * as z from 'zod';
import type { CrmConnector } from '../../core/crm/connector.ts';
import { type CompiledMapping, compileMapping } from '../../core/crm/mapping/mapping.ts';
import { HubError } from '../../core/errors.ts';
import { linkScope, partsOfReference, referenceTo } from '../../core/identity/crm/accounts.ts';
import { reviewId } from '../../core/identity/ledger.ts';
import { instant } from '../../core/interaction/interaction.ts';
import { publisher } from '../aws/clients/bus.ts';
import type { Table } from '../aws/clients/dynamo.ts';
import { sendTo } from '../aws/clients/queue.ts';
import { sendAllTo } from '../aws/clients/queue-many.ts';
import { guests } from '../aws/customers/guests.ts';
import { history } from '../aws/customers/history.ts';
import { linkedProfiles } from '../aws/customers/links.ts';
import { erasedIdentifiers } from '../aws/erasure/erased-identifiers.ts';
import { hashedKeysLoader } from '../aws/erasure/hashed-keys.ts';
import { erasureParts } from '../aws/erasure/parts.ts';
import { config } from '../aws/operations/configuration.ts';
import { saveFailure } from '../aws/operations/failure-rows.ts';
import { REPLAY_OF } from '../aws/operations/save-failure.ts';
import { syncFailed } from '../contracts/events/build.ts';
import { reviewKey } from '../contracts/keys.ts';
import type { DecidedMessage } from '../contracts/messages/sync.ts';
import type { Runtime } from '../contracts/runtime.ts';
import { syncStage } from '../contracts/stages/sync.ts';
import { caseRows } from './cases/case-rows.ts';
import { applyChanges, type QueuedChange } from './changes/changes.ts';
import type { Pending } from './connection/pending.ts';
import type { CrmAccess, Deferral, WorkPorts } from './connection/work.ts';
import { applyDecisions } from './contacts/decisions.ts';
import { eraseInCrm } from './erase.ts';
import { links } from './links.ts';
import type { SyncPorts } from './ports.ts';
import { type Queued, sync } from './sync.ts';

const Environment = z.object({
  HUB: z.string(),
  QUEUE_URL_DELIVERIES: z.string(),
  QUEUE_URL_SYNC: z.string(),
});

export interface UseCases {
  readonly mapping: () => Promise<CompiledMapping>;
  readonly carryOut: WorkPorts['carryOut'];
  /** What a job uses that writes customers itself; what it cannot write is a failure of the customer's source profile. */
  readonly portsOf: (access: CrmAccess) => SyncPorts;
}

type Erasing = Parameters<ReturnType<typeof eraseInCrm>>[0][number];
type Shared = Omit<SyncPorts, 'open' | 'call' | 'parked' | 'saveFailure' | 'scope' | 'links' | 'cases'>;

/** What the messages of a CRM's queue ask for, wired to the hub's table. */
export const useCases = (connector: CrmConnector, rows: Table, runtime: Runtime): UseCases => {
  const shared = sharedPorts(connector, rows, runtime);
  const save = saveFailure(runtime, rows);
  const stage = syncStage(connector.id, connector.title);
  const erasures = erasureParts(rows);
  const inAccount = accountPorts(connector, rows, runtime);
  return {
    mapping: shared.mapping,
    portsOf: (access) => ({
      ...{ ...shared, ...inAccount(access), ...access },
      async saveFailure(profileId, { code, message: reason }) {
        const work = {
          payload: JSON.stringify({ profileId }),
          occurrence: profileId,
          tries: 1,
          id: undefined,
        };
        await save(stage, { ...work, code, reason, origin: 'refused' });
      },
    }),
    async carryOut(pending, access) {
      const byId = new Map(pending.map((one) => [one.id, one]));
      const ports: SyncPorts = {
        ...{ ...shared, ...inAccount(access), ...access },
        async saveFailure(id, { code, message: reason }) {
          const one = byId.get(id);
          if (one === undefined) return;
          const { body: payload, attributes, receives: tries } = one;
          const work = { payload, occurrence: one.occurrence ?? id, tries, id: attributes[REPLAY_OF] };
          await save(stage, { ...work, code, reason, origin: 'refused' });
        },
      };
      const { syncs, changes, decided, erased } = byKind(pending);
      return new Map<string, Deferral>([
        ...(await expected(decided, applyDecisions(ports))),
        ...(await expected(syncs, sync(ports))),
        ...(await expected(changes, applyChanges(ports))),
        ...(await expected(erased, eraseInCrm({ ...ports, connector, erasures }))),
      ]);
    },
  };
};

/** What is kept for each account of the CRM. */
const accountPorts = (connector: CrmConnector, rows: Table, runtime: Runtime) => {
  const erased = erasedIdentifiers(rows, hashedKeysLoader(runtime));
  return ({ accounts }: Pick<CrmAccess, 'accounts'>): Pick<SyncPorts, 'scope' | 'links' | 'cases'> => {
    const scope = linkScope(connector.id, accounts);
    const erasedRecords = async (records: readonly string[]): Promise<Set<string>> => {
      const found = await erased(records.map((one) => referenceTo(scope, one)));
      return new Set([...found.keys()].map((one) => partsOfReference(one).record));
    };
    return { scope, links: links(rows, scope, erasedRecords), cases: caseRows(rows, scope) };
  };
};

const sharedPorts = (connector: CrmConnector, rows: Table, runtime: Runtime): Shared => {
  const env = Environment.parse(runtime.env);
  const running = config(runtime, rows);
  const publish = publisher(runtime);
  const recordInteraction = sendTo(runtime, env.QUEUE_URL_DELIVERIES);
  const sendAll = sendAllTo(runtime, env.QUEUE_URL_SYNC);
  let compiled: { readonly raw: unknown; readonly mapping: CompiledMapping } | undefined;
  return {
    ...{ crm: connector.id, title: connector.title, hub: env.HUB, now: runtime.now },
    ...{ recordInteraction, recordCommand: recordInteraction },
    async mapping() {
      const raw = await running.crmMapping(connector.id);
      if (compiled === undefined || compiled.raw !== raw)
        compiled = { raw, mapping: compileMapping(connector.id, raw) };
      return compiled.mapping;
    },
    identity: running.identity,
    silence: async () => (await running.hub()).conversation.silence,
    history: history(rows),
    erasedAt: erasedIdentifiers(rows, hashedKeysLoader(runtime)),
    identifierOwners: (identifiers) => linkedProfiles(rows, identifiers),
    guests: guests(rows, running.identity),
    async queueAgain(messages) {
      const refused = await sendAll(messages.map((one) => JSON.stringify(one)));
      if (refused.size > 0)
        throw new HubError(
          'enqueue-failure',
          `The queue of ${connector.title} did not accept ${refused.size} messages.`,
          { retry: 'later' },
        );
    },
    async openReview(review) {
      await rows.put({ ...reviewKey(reviewId(review)), ...review });
    },
    async publishFailed(customer, error) {
      await publish(syncFailed(customer, connector.id, error.code, instant(runtime.now())));
    },
  };
};

const byKind = (
  pending: readonly Pending[],
): {
  readonly syncs: readonly Queued[];
  readonly changes: readonly QueuedChange[];
  readonly decided: readonly Queued<DecidedMessage>[];
  readonly erased: readonly Erasing[];
} => {
  const [syncs, changes, erased]: [Queued[], QueuedChange[], Erasing[]] = [[], [], []];
  const decided: Queued<DecidedMessage>[] = [];
  for (const { id, message } of pending)
    if ('erasure' in message) erased.push({ id, message });
    else if ('change' in message) changes.push({ id, message });
    else if ('decided' in message) decided.push({ id, message });
    else if ('profileId' in message) syncs.push({ id, message });
  return { syncs, changes, decided, erased };
};

/** An expected error of a use case itself, such as an invalid mapping, concerns all of its messages. */
const expected = async <One extends { readonly id: string }>(
  queued: readonly One[],
  use: (queued: readonly One[]) => Promise<ReadonlyMap<string, Deferral>>,
): Promise<ReadonlyMap<string, Deferral>> => {
  if (queued.length === 0) return new Map();
  try {
    return await use(queued);
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    return new Map(queued.map(({ id }) => [id, { error }]));
  }
};
