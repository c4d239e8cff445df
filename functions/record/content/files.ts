import type { Interaction } from '../../../core/interaction/interaction.ts';
import { signedCalls } from '../../aws/clients/signed.ts';
import { uploads } from '../../aws/clients/upload.ts';
import type { DeliveryMessage } from '../../contracts/messages/record.ts';
import type { Runtime } from '../../contracts/runtime.ts';

/** The hub's bucket, as `record` uses it. */
export interface Files {
  /** A delivery's raw bytes, from the message or from the bucket. */
  bytes(delivery: DeliveryMessage): Promise<Uint8Array>;
  put(key: string, body: string | Uint8Array, contentType: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** Writes a file of any length as its bytes come. */
  copy(key: string, bytes: AsyncIterable<Uint8Array>, contentType: string): Promise<void>;
  /** What a provider has put there. Rejects with `AwsRefusal`. */
  open(key: string): Promise<Response>;
}

export const files = (runtime: Runtime): Files => {
  const aws = signedCalls(runtime);
  const upload = uploads(runtime);
  const pathOf = (key: string): string =>
    `/${runtime.env['BUCKET']}/${key.split('/').map(encodeURIComponent).join('/')}`;
  return {
    async bytes({ request: { body, bodyKey } }) {
      if (bodyKey === undefined) return Buffer.from(body ?? '', 'base64');
      const object = await aws.rest('s3', { method: 'GET', path: pathOf(bodyKey) });
      return new Uint8Array(await object.arrayBuffer());
    },
    async put(key, body, contentType) {
      const headers = { 'content-type': contentType };
      await aws.rest('s3', { method: 'PUT', path: pathOf(key), headers, body });
    },
    async remove(key) {
      await aws.rest('s3', { method: 'DELETE', path: pathOf(key) });
    },
    copy: (key, bytes, contentType) => upload(pathOf(key), contentType, bytes),
    open: (key) => aws.rest('s3', { method: 'GET', path: pathOf(key) }),
  };
};

/** A row of the table holds 400 KB; this much of a text stays in it. */
const TEXT_BYTES = 64 * 1024;

/** A text too long for a row goes to the bucket whole, and its beginning stays on the timeline. */
export const offloadText = async (
  { put }: Pick<Files, 'put'>,
  interaction: Interaction,
): Promise<Interaction> => {
  const { text = '' } = interaction;
  const size = Buffer.byteLength(text);
  if (size <= TEXT_BYTES) return interaction;
  const key = `texts/${interaction.id}`;
  await put(key, text, 'text/plain; charset=utf-8');
  const beginning = new TextDecoder().decode(Buffer.from(text).subarray(0, TEXT_BYTES), { stream: true });
  const whole = { name: 'text.txt', contentType: 'text/plain', size, key };
  return { ...interaction, text: beginning, attachments: [...(interaction.attachments ?? []), whole] };
};
