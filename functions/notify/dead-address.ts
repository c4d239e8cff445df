import type { Identifier } from '../../core/identity/identifier.ts';
import { type Channel, instant } from '../../core/interaction/interaction.ts';
import type { DeadAddress } from '../../core/triggers/sending/sender.ts';
import type { NotifyPorts } from './ports.ts';

/** A message that its vendor has refused because of its address. */
interface Undeliverable {
  /** The id that was sent with the message. */
  readonly id: string;
  readonly channel: Channel;
  readonly provider: string;
  readonly address: Identifier;
  readonly error: DeadAddress;
}

/** Records a dead address as a bounce, which closes it to every category, whoever owns it. Idempotent: the key is the same. */
export const recordDeadAddress = async (
  { record, now }: Pick<NotifyPorts, 'record' | 'now'>,
  { id, channel, provider, address, error }: Undeliverable,
): Promise<void> => {
  const at = instant(now());
  await record({
    type: 'interaction',
    receivedAt: at,
    interaction: {
      ...{ key: `${id}:dead-address`, provider, kind: 'bounce', channel, direction: 'outbound' },
      ...{ occurredAt: at, identifiers: [address] },
      properties: { status: 'refused', reason: error.message, notification: id },
    },
  });
};
