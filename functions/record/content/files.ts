import { HubError } from '../../../core/errors.ts';
import type { Interaction } from '../../../core/interaction/interaction.ts';
import type { Bucket } from '../../aws/clients/bucket.ts';
import type { DeliveryMessage } from '../../contracts/messages/record.ts';

/** The hub's bucket, as `record` uses it. */
export type Files = Pick<Bucket, 'get' | 'keep' | 'open' | 'putUncommitted' | 'remove' | 'uploadUncommitted'>;

/** The raw bytes of a delivery, from the message or from the bucket. Throws `HubError` `bucket-fault` where they are gone. */
export const bodyOf = async (
  files: Pick<Files, 'get'>,
  { id, request: { body, bodyKey } }: DeliveryMessage,
): Promise<Uint8Array> => {
  if (bodyKey === undefined) return Buffer.from(body ?? '', 'base64');
  const bytes = await files.get(bodyKey);
  if (bytes) return bytes;
  throw new HubError(
    'bucket-fault',
    `The body of the delivery ${id} is not in the bucket. It may have expired.`,
    {
      retry: 'later',
    },
  );
};

/** A row of DynamoDB holds at most 400 KB; this much of a text stays in it. */
const TEXT_BYTES = 64 * 1024;

/** Stores a text that is too long for a row in the bucket, as an attachment. Its beginning stays in the interaction. */
export const offloadText = async (
  { putUncommitted }: Pick<Files, 'putUncommitted'>,
  interaction: Interaction,
): Promise<Interaction> => {
  const { text = '' } = interaction;
  const size = Buffer.byteLength(text);
  if (size <= TEXT_BYTES) return interaction;
  const key = `texts/${interaction.id}`;
  await putUncommitted(key, text, 'text/plain; charset=utf-8');
  const beginning = new TextDecoder().decode(Buffer.from(text).subarray(0, TEXT_BYTES), { stream: true });
  const whole = { name: 'text.txt', contentType: 'text/plain', size, key };
  return { ...interaction, text: beginning, attachments: [...(interaction.attachments ?? []), whole] };
};
