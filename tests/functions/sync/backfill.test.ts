import { expect, it } from 'vitest';
import { hubspot } from '../../../connectors/crm/hubspot/index.ts';
import type { CrmSession } from '../../../core/crm/connector.ts';
import type { StoredInteraction } from '../../../functions/contracts/ports/history.ts';
import { type BackfillPorts, backfillJob } from '../../../functions/sync/jobs/backfill/backfill.ts';
import type { Sandbox } from '../../../infra/sandbox/protocol/sandbox.ts';
import { customerOf, found, linksInMemory, syncPortsOf } from '../../support/crm/in-memory.ts';

const unused = (): never => {
  throw new Error('A backfill asks for customers and their timelines.');
};

it.each([
  [200, [200, 200, 200, 200, 200]],
  [2000, [1000]],
])('writes batches of %i, each customer before what they did, and everything once', async (batch, sizes) => {
  const customers = new Map(
    Array.from({ length: 500 }, (_, serial) => customerOf(serial, 'Ada')).map((one) => [one.id, one]),
  );
  const ids = [...customers.keys()];
  const written: (readonly string[])[] = [];
  const ports: BackfillPorts = {
    batch,
    pauseAfter: async () => undefined,
    directory: {
      async page(cursor = '0', limit) {
        const end = Number(cursor) + limit;
        return { ids: ids.slice(Number(cursor), end), ...(end < ids.length && { next: String(end) }) };
      },
    },
    parked: async () => new Set(),
    sync: {
      ...syncPortsOf(hubspot, {} as Sandbox, {
        customers,
        links: linksInMemory().links,
        saveFailure: unused,
      }),
      // A CRM that does not write in bulk.
      open: async () => ({}) as CrmSession,
      history: {
        ...{ customer: unused, interaction: unused, interactions: unused, answers: unused, ledger: unused },
        customers: async (some) => found(customers, some),
        async *timeline({ id }) {
          yield {
            profileId: id,
            id: `of ${id}`,
            occurredAt: '2026-03-01T09:00:00.000Z',
          } as StoredInteraction;
        },
      },
    },
    async carryOut(_, messages) {
      written.push(messages.map(({ profileId, interaction }) => interaction ?? profileId));
      return new Map();
    },
  };
  const job = backfillJob(ports);
  const { checkpoint } = await job.start({ crm: 'salesforce' });
  const result = await job.slice({
    ...{ job: 'j1', by: 'ada', startedAt: '2026-03-01T09:00:00.000Z', parameters: { crm: 'salesforce' } },
    ...{ checkpoint, timeLeft: () => true },
  });
  expect(written.map(({ length }) => length)).toEqual(sizes);
  expect(written.flat()).toEqual(ids.flatMap((id) => [id, `of ${id}`]));
  expect(result).toMatchObject({ finished: true, counts: { customers: 500, interactions: 500 } });
});
