import { expect, it } from 'vitest';
import { NOW, openTestHub } from '../../support/open-test-hub.ts';
import { brokenInvariants } from '../../tools/crash/invariants.ts';

it('many messages of a few customers at the same time change each customer one after the other', async () => {
  const hub = await openTestHub();
  const [people, each] = [4, 30];
  for (let serial = 0; serial < people * each; serial++)
    hub.sendInteraction({
      ...{ key: `k${serial}`, kind: 'call', channel: 'voice', at: NOW + serial },
      identifiers: [`phone:+1415555010${serial % people}`],
    });
  await hub.clock.runUntil(NOW + 3_600_000);
  expect(await hub.timeline()).toHaveLength(people * each);
  expect((await hub.scan()).filter(({ sk }) => sk === 'profile')).toHaveLength(people);
  const told = { acknowledged: [], refused: [], unanswered: [] };
  expect(await brokenInvariants(hub, told)).toEqual([]);
  await hub.stop();
});
