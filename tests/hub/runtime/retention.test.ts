import { expect, it } from 'vitest';
import { messenger, NOW, openTestHub } from '../../support/open-test-hub.ts';

it('an interaction and its seen row expire after their retention', async () => {
  const hub = await openTestHub();
  await hub.post(messenger('Hello'));
  const kept = (await hub.scan()).filter(({ sk }) => sk === 'seen' || sk.startsWith('at#'));
  expect(kept).toHaveLength(2);
  for (const { expiresAt } of kept) expect(expiresAt).toBe(NOW / 1000 + 3 * 365 * 86_400);
  await hub.stop();
});
