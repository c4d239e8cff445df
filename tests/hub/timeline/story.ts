import type { CommandMessage, InteractionMessage } from '../../../functions/contracts/messages/record.ts';
import { NOW, openHub } from '../../support/failing-hub.ts';

/** An instant, in minutes from the beginning. */
export const at = (minute: number): string => new Date(NOW + minute * 60_000).toISOString();

type Act = Partial<InteractionMessage['interaction']> & { readonly key: string; readonly minute: number };
const DELIVERIES = /^Deliveries(?!.*Dead)/u;
/** Until what people look at is kept, which waits for more of it. */
const KEPT_MS = 60_000;

/** The whole hub, told acts of Ada on WhatsApp as her provider would tell them, and asked as an agent would. */
export const openStory = async () => {
  const hub = await openHub();
  let commands = 0;
  return {
    ...hub,
    /** An inbound message of Ada's unless told otherwise. */
    tell({ minute, ...act }: Act): void {
      hub.send(DELIVERIES, {
        type: 'interaction',
        receivedAt: at(minute),
        interaction: {
          ...{ kind: 'message', channel: 'whatsapp', provider: 'meta', direction: 'inbound' },
          ...{ externalId: act.key, identifiers: ['phone:+14155550100'], occurredAt: at(minute), ...act },
        },
      });
    },
    command(command: Pick<CommandMessage, 'command'> & Readonly<Record<string, unknown>>): void {
      const id = `command-${commands++}`;
      hub.send(DELIVERIES, { type: 'command', id, at: at(0), by: 'test', ...command });
    },
    async kept(): Promise<void> {
      await hub.settle();
      await hub.clock.runUntil(hub.clock.now() + KEPT_MS);
    },
  };
};
export type Story = Awaited<ReturnType<typeof openStory>>;
