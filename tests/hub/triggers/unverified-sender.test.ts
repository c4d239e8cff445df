import { afterEach, expect, it } from 'vitest';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';

const MINUTE = 60_000;
const welcome = {
  ...{ id: 'welcome', name: 'Welcome', category: 'transactional' },
  on: { kind: ['form'] },
  send: { channels: ['email'], template: 'welcome' },
};

let hub: TestHub;
afterEach(() => hub.stop());

const write = async (verified?: readonly string[]): Promise<unknown[]> => {
  hub = await openTestHub({ triggers: [welcome], ...(verified && { verified }) });
  hub.sendInteraction({ key: 'F1', identifiers: ['email:ada@example.com'], kind: 'form', channel: 'form' });
  await hub.wait(MINUTE);
  return hub.failures();
};
const sent = () => hub.cloud.sentMessages.list().map(({ from }) => from);

it('a template is sent from the domain that it names, which is verified', async () => {
  expect(await write()).toEqual([]);
  expect(sent()).toEqual(['hello@acme.example']);
});

it('a sender that was never verified is a failure that names it and says what to do', async () => {
  expect(await write(['else.example'])).toMatchObject([
    {
      ...{ stage: 'notify', code: 'sender-refusal' },
      reason: expect.stringMatching(/hello@acme\.example is not verified.*Verify its domain in SES/u),
    },
  ]);
  expect(sent()).toEqual([]);
});
