import { expect, it } from 'vitest';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';
import { crmChanged } from '../../../functions/contracts/events/build.ts';
import type { BusEvent } from '../../../functions/contracts/events/catalogue.ts';
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

const hub = (refused: (event: BusEvent) => boolean, events: readonly BusEvent[] = []) => {
  let ids = 0;
  return record<{ id: string; work: Work }>({
    decode: async ({ work }) => ({ works: events.length > 0 ? [] : [work], events }),
    identity: async () => IdentityConfig.parse({}),
    silence: async () => 72 * 3_600_000,
    load: async () => ({
      sourceProfiles: [],
      owners: new Map(),
      ownerHints: new Map(),
      seen: new Map(),
      referred: new Map(),
      sent: new Map(),
      reviews: new Map(),
      receivedBeforeErasure: new Set(),
      retainedRefusals: new Map(),
      guests: new Map(),
      addressClaimedAt: new Map(),
      claimedPairs: new Map(),
    }),
    commit: async () => true,
    keepFiles: async () => {},
    removeFiles: async () => {},
    publish: async (all) => all.map((one) => !refused(one)),
    refuse: async () => {},
    newId: () => `c${ids++}`,
    pausing: noPause,
  });
};

it('retries exactly the messages whose events the bus refused', async () => {
  const use = hub(({ detail }) => 'id' in detail && detail.id === '2');
  const failed = await use([work('1', 'first'), work('2', 'second'), work('3', 'third')]);
  expect([...failed.keys()]).toEqual(['second']);
});

it('retries a message whose change of a contact the bus refused, and publishes the same again', async () => {
  const change = { object: 'Contact', act: 'changed' as const, fields: {}, merged: [] };
  const events = ['003A', '003B'].map((id) => crmChanged('salesforce', { ...change, id }, at));
  const published: BusEvent[] = [];
  let isDown = true;
  const use = hub((event) => {
    published.push(event);
    return isDown && event === events[1];
  }, events);
  expect([...(await use([work('1', 'first')])).keys()]).toEqual(['first']);
  isDown = false;
  expect((await use([work('1', 'first')])).size).toBe(0);
  expect(published).toEqual([...events, ...events]);
});
