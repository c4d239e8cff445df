import { HubError } from '../../core/errors.ts';
import { refusal } from '../../core/triggers/sender.ts';
import type { TestMessage } from '../contracts/messages/test-message.ts';
import { defaultFrom } from './message.ts';
import type { NotifyPorts } from './ports.ts';

/**
 * Sends a test of a template through the sender of its channel, once, outside of any limit. Nothing is stored but the failure,
 * if the sender does not take it: the person who tried the template finds it there and tries again.
 */
export const sendTest = async (
  ports: Pick<NotifyPorts, 'hub' | 'sender' | 'saveFailure'>,
  { test: { id, channel, to, text, html, subject, from } }: TestMessage,
): Promise<void> => {
  const hub = await ports.hub();
  try {
    const sender = ports.sender(hub.senders[channel]?.use ?? '');
    if (sender === undefined)
      throw refusal(`hub.yaml has no sender for the channel ${channel}. Add one under \`senders\`.`);
    await sender.send({
      ...{ id, channel, to, text, category: 'transactional', from: from ?? defaultFrom(hub) },
      ...(html !== undefined && { html }),
      ...(subject !== undefined && { subject }),
    });
  } catch (error) {
    const known = error instanceof HubError ? error : undefined;
    await ports.saveFailure(
      known ??
        new HubError('uncertain-send', 'The sender did not confirm the test, so it may or may not be sent.', {
          retry: 'never',
          cause: error,
        }),
    );
  }
};
