import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import { getFailure, putFailurePayload } from '../client/failures.ts';
import type { HubConnection } from '../client/request.ts';
import { currentUser } from '../terminal/user.ts';

/** Replaces the payload of a failure by the JSON in `file`, or by the payload as the user changes it in $EDITOR. */
export const editFailure = async (
  hub: HubConnection,
  id: string,
  file: string | undefined,
): Promise<void> => {
  const { payload } = await getFailure(hub, id);
  const text =
    file === undefined
      ? editInEditor(JSON.stringify(withTextBody(payload), null, 2))
      : readFileSync(file, 'utf8');
  const edited = z.json().parse(JSON.parse(text));
  await putFailurePayload(hub, id, withEncodedBody(edited), currentUser());
  console.log(`Saved. Replay it with: hub failures replay ${id}`);
};

const editInEditor = (text: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'hub-'));
  try {
    const path = join(folder, 'payload.json');
    writeFileSync(path, text, { mode: 0o600 });
    const { status } = spawnSync(process.env['EDITOR'] ?? 'vi', [path], { stdio: 'inherit', shell: false });
    if (status !== 0)
      throw new HubError('editor-failure', 'The editor ended with an error; nothing was saved.', {
        retry: 'never',
      });
    return readFileSync(path, 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const Delivery = z.looseObject({ type: z.literal('delivery'), request: z.looseObject({ body: z.string() }) });
const DeliveryWithText = z.looseObject({
  type: z.literal('delivery'),
  request: z.looseObject({ bodyText: z.string() }),
});

/** Replaces the base64 `body` of a delivery by `bodyText` where the body is UTF-8 text. */
export const withTextBody = (payload: unknown): unknown => {
  const delivery = Delivery.safeParse(payload);
  if (!delivery.success) return payload;
  const { body, ...request } = delivery.data.request;
  const text = Buffer.from(body, 'base64').toString();
  if (Buffer.from(text).toString('base64') !== body) return payload;
  return { ...delivery.data, request: { ...request, bodyText: text } };
};

/** The reverse of `withTextBody`. */
export const withEncodedBody = (payload: unknown): unknown => {
  const delivery = DeliveryWithText.safeParse(payload);
  if (!delivery.success) return payload;
  const { bodyText, ...request } = delivery.data.request;
  return { ...delivery.data, request: { ...request, body: Buffer.from(bodyText).toString('base64') } };
};
