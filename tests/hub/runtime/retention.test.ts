import { expect, it } from 'vitest';
import { scanTable } from '../../../infra/scenario/scan-table.ts';
import { messenger, NOW, openHub } from '../../support/failing-hub.ts';

it('an interaction and what remembers it leave the table when their retention is over', async () => {
  const hub = await openHub();
  await hub.post(messenger('Hello'));
  const kept = (await scanTable(hub.runtime)).filter(({ sk }) => sk === 'seen' || sk.startsWith('at#'));
  expect(kept).toHaveLength(2);
  for (const { expiresAt } of kept) expect(expiresAt).toBe(NOW / 1000 + 3 * 365 * 86_400);
  await hub.cloud.stop();
});
