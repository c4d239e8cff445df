import type { CommandMessage } from '../../../functions/contracts/messages/record.ts';
import { NOW, openTestHub, type TestInteraction } from '../../support/open-test-hub.ts';

const MINUTE = 60_000;

/** An instant, in minutes after the start. */
export const at = (minute: number): string => new Date(NOW + minute * MINUTE).toISOString();

/** The whole hub with interactions on WhatsApp. */
export const openConversation = async () => {
  const hub = await openTestHub();
  let commands = 0;
  return {
    ...hub,
    /** Adds an interaction, by default an inbound message, so many minutes after the start. */
    add: ({ minute, ...fields }: TestInteraction & { readonly minute: number }): void =>
      hub.sendInteraction({ channel: 'whatsapp', provider: 'meta', at: NOW + minute * MINUTE, ...fields }),
    command(command: Pick<CommandMessage, 'command'> & Readonly<Record<string, unknown>>): void {
      const id = `command-${commands++}`;
      hub.send(/^Deliveries(?!.*Dead)/u, { type: 'command', id, at: at(0), by: 'test', ...command });
    },
    /** Lets the projections be written, whose function gathers messages for a while. */
    project: (): Promise<void> => hub.wait(MINUTE),
  };
};
export type Conversation = Awaited<ReturnType<typeof openConversation>>;
