import { expect, it } from 'vitest';
import { openSandboxes } from '../../../infra/scenario/sandboxes.ts';
import { scanTable } from '../../../infra/scenario/scan-table.ts';
import { NOW, openHub } from '../../support/failing-hub.ts';
import { brokenInvariants } from '../../tools/crash/invariants.ts';

it('many messages of a few people at once change each person one after the other', async () => {
  const hub = await openHub();
  const crms = await openSandboxes();
  await crms.connect(hub.runtime, 'acme');
  const [people, each] = [4, 30];
  for (let serial = 0; serial < people * each; serial++)
    hub.send(/^DeliveriesQueue/, {
      type: 'interaction',
      receivedAt: new Date(NOW).toISOString(),
      interaction: {
        ...{ key: `k${serial}`, provider: 'test', kind: 'call', channel: 'voice', direction: 'inbound' },
        occurredAt: new Date(NOW + serial).toISOString(),
        identifiers: [`phone:+1415555010${serial % people}`],
      },
    });
  await hub.clock.runUntil(NOW + 3_600_000);
  expect(hub.timeline()).toHaveLength(people * each);
  expect((await scanTable(hub.runtime)).filter(({ sk }) => sk === 'profile')).toHaveLength(people);
  const told = { acknowledged: [], refused: [], unanswered: [] };
  expect(await brokenInvariants({ ...hub, crms }, told)).toEqual([]);
  await hub.cloud.stop();
  await crms.stop();
});
