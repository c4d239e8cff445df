import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Interaction } from '../../core/interaction.ts';
import { clientConfig } from '../aws/client.ts';
import type { Runtime } from '../runtime.ts';
import type { DeliveryMessage } from './message.ts';

/** The hub's bucket, as `record` uses it. */
export interface Files {
  /** A delivery's raw bytes, from the message or from the bucket. */
  bytes(delivery: DeliveryMessage): Promise<Uint8Array>;
  put(key: string, body: string | Uint8Array, contentType: string): Promise<void>;
}

export const files = (runtime: Runtime): Files => {
  const s3 = new S3Client({ ...clientConfig(runtime), forcePathStyle: true });
  const { BUCKET: Bucket } = runtime.env;
  return {
    async bytes({ request: { body, bodyKey: Key } }) {
      if (Key === undefined) return Buffer.from(body ?? '', 'base64');
      const object = await s3.send(new GetObjectCommand({ Bucket, Key }));
      return (await object.Body?.transformToByteArray()) ?? new Uint8Array();
    },
    async put(Key, Body, ContentType) {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body, ContentType }));
    },
  };
};

/** A row of the table holds 400 KB; this much of a text stays in it. */
const TEXT_BYTES = 64 * 1024;

/** A text too long for a row goes to the bucket whole, and its beginning stays on the timeline. */
export const shelve = async ({ put }: Files, interaction: Interaction): Promise<Interaction> => {
  const { text = '' } = interaction;
  const size = Buffer.byteLength(text);
  if (size <= TEXT_BYTES) return interaction;
  const key = `texts/${interaction.id}`;
  await put(key, text, 'text/plain; charset=utf-8');
  const beginning = new TextDecoder().decode(Buffer.from(text).subarray(0, TEXT_BYTES), { stream: true });
  const whole = { name: 'text.txt', contentType: 'text/plain', size, key };
  return { ...interaction, text: beginning, attachments: [...(interaction.attachments ?? []), whole] };
};
