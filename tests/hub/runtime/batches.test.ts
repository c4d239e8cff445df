import { expect, it } from 'vitest';
import { openTestHub } from '../../support/open-test-hub.ts';

const PHONES = Array.from({ length: 5 }, (_, at) => `+1415555010${at}`);

it('every interaction of a batch reaches both CRMs and the figures once, past the rules or by them', async () => {
  const requests: string[] = [];
  let refusing = false;
  const hub = await openTestHub({
    before(service, operation) {
      if (service === 'sqs') requests.push(operation);
      if (refusing && operation === 'SendMessageBatch') throw new Error('SQS is down.');
    },
  });
  try {
    const sendAll = async (round: number): Promise<void> => {
      for (const phone of PHONES)
        hub.sendInteraction({
          key: `${phone}-${round}`,
          provider: 'twilio',
          identifiers: [`phone:${phone}`],
        });
      await hub.wait(5 * 60_000);
    };
    await sendAll(1);
    expect(requests).toContain('SendMessageBatch');
    refusing = true;
    await sendAll(2);
    const day = new Date(hub.clock.now()).toISOString().slice(0, 10);
    const { items } = (await hub.api('GET', `/figures?from=${day}&to=${day}`)).body;
    expect(items).toMatchObject([{ channel: 'sms', inbound: 10 }]);
    // Ten messages, and the five that welcome somebody.
    expect(hub.crms.salesforce.records('Task')).toHaveLength(15);
  } finally {
    await hub.stop();
  }
});
