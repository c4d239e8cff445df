import type { HubConfig } from '../../core/config/hub-config.ts';
import { HubError } from '../../core/errors.ts';
import { testId } from '../../core/triggers/notification.ts';
import { refusal, type Sender } from '../../core/triggers/sending/sender.ts';
import type { TestMessages } from '../aws/triggers/test-messages.ts';
import type { TestMessage } from '../contracts/messages/test-message.ts';
import { defaultFrom } from './message.ts';

export interface TestSendPorts {
  readonly tests: Pick<TestMessages, 'get'>;
  readonly hub: () => Promise<HubConfig>;
  readonly sender: (id: string) => Sender | undefined;
  /** Stores the message in the list of failures, with the reason. */
  readonly saveFailure: (error: HubError) => Promise<void>;
}

/**
 * Sends a test message. It is no notification: nothing counts it, no row of a customer shows it, and it has no links that
 * work. A redelivery sends it again.
 */
export const sendTest = async (ports: TestSendPorts, message: TestMessage): Promise<void> => {
  const [hub, row] = await Promise.all([ports.hub(), ports.tests.get(message)]);
  if (row === undefined) return;
  const { channel, to, text, html, subject, from = defaultFrom(hub) } = row;
  try {
    const sender = ports.sender(hub.senders[channel]?.use[0] ?? '');
    if (sender === undefined)
      throw refusal(`hub.yaml has no sender for the channel ${channel}. Add one under \`senders\`.`);
    await sender.send({
      // It says that it is a test, so that nobody takes it for a message of the business.
      ...{ to, from, text: subject === undefined ? `[Test] ${text}` : text },
      ...(html !== undefined && { html }),
      ...{ id: testId(message.test), channel, category: 'transactional' },
      ...(subject !== undefined && { subject: `[Test] ${subject}` }),
    });
  } catch (error) {
    if (!(error instanceof HubError) || error.retry !== 'never') throw error;
    await ports.saveFailure(error);
  }
};
