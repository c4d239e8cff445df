import { expect, it } from 'vitest';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';
import type { Work } from '../../../functions/contracts/work.ts';
import { record } from '../../../functions/record/record.ts';
import { noPause } from '../../support/no-pause.ts';

const at = '2026-03-02T09:00:00.000Z';

const work = (id: string, message: string) => ({ id: message, work: workOf(id, message) });

const workOf = (id: string, message: string): Work => ({
  type: 'interaction',
  message,
  receivedAt: at,
  interaction: {
    id,
    kind: 'message',
    channel: 'sms',
    provider: 'standard',
    direction: 'inbound',
    occurredAt: at,
    identifiers: [`phone:+1415555010${id}`],
  } satisfies Interaction,
});

it('retries exactly the messages whose events the bus refused', async () => {
  let ids = 0;
  const use = record<{ id: string; work: Work }>({
    decode: async ({ work }) => ({ works: [work], events: [] }),
    identity: async () => IdentityConfig.parse({}),
    silence: async () => 72 * 3_600_000,
    load: async () => ({
      sourceProfiles: [],
      owners: new Map(),
      ownerHints: new Map(),
      seen: new Map(),
      referred: new Map(),
      reviews: new Map(),
      receivedBeforeErasure: new Set(),
      retainedRefusals: new Map(),
      guests: new Map(),
      addressClaimedAt: new Map(),
      claimedPairs: new Map(),
    }),
    commit: async () => true,
    removeFiles: async () => {},
    publish: async (events) => events.map(({ detail }) => !('id' in detail && detail.id === '2')),
    refuse: async () => {},
    newId: () => `c${ids++}`,
    pausing: noPause,
  });
  const failed = await use([work('1', 'first'), work('2', 'second'), work('3', 'third')]);
  expect([...failed.keys()]).toEqual(['second']);
});
