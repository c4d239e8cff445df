import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import { call } from '../client/call.ts';
import { sanitize, sanitizeJson } from '../terminal/sanitize.ts';
import { waitFor } from './jobs.ts';

const Failure = z.looseObject({
  ...{ id: z.string(), stage: z.string(), code: z.string(), reason: z.string(), failedAt: z.string() },
  count: z.number(),
});
const Page = z.object({ items: z.array(Failure), next: z.string().optional() });

const usage = `hub failures list [--stage STAGE] [--code CODE] [--status open|replayed|dismissed|all]
hub failures show ID
hub failures edit ID [--file FILE]
hub failures replay ID… | --all [--stage STAGE] [--code CODE] [--before TIME]
hub failures dismiss ID…

HUB_URL and HUB_KEY say which hub, and its API key. docs/failures.md explains each code.`;

const options = {
  stage: { type: 'string' },
  code: { type: 'string' },
  status: { type: 'string' },
  before: { type: 'string' },
  file: { type: 'string' },
  all: { type: 'boolean', default: false },
} as const;

/** `hub failures …` against a running hub. */
export const failuresCommand = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
  const [verb, ...ids] = positionals;
  const [id] = ids;
  const { stage, code, status, before } = values;
  if (verb === 'list') {
    await list({ stage, code, status });
    return 0;
  }
  if (verb === 'replay' && values.all) {
    const job = await call('POST', '/failures/replay', { stage, code, before, by });
    return waitFor(z.object({ id: z.string() }).parse(job).id);
  }
  if (id === undefined || !['show', 'edit', 'replay', 'dismiss'].includes(verb ?? '')) {
    console.error(usage);
    return 2;
  }
  if (verb === 'show') console.log(sanitizeJson(await call('GET', pathOf(id)), 2));
  if (verb === 'edit') await edit(id, values.file);
  for (const one of ids) {
    if (verb === 'replay') await call('POST', `${pathOf(one)}/replay?by=${encodeURIComponent(by)}`);
    if (verb === 'dismiss') await call('DELETE', `${pathOf(one)}?by=${encodeURIComponent(by)}`);
  }
  return 0;
};

const by = userInfo().username;
const pathOf = (id: string): string => `/failures/${encodeURIComponent(id)}`;

const list = async (filter: Readonly<Record<string, string | undefined>>): Promise<void> => {
  const query = new URLSearchParams({ limit: '200' });
  for (const [name, value] of Object.entries(filter)) if (value !== undefined) query.set(name, value);
  for (;;) {
    const { items, next } = Page.parse(await call('GET', `/failures?${query}`));
    for (const { id, failedAt, stage, code, count, reason } of items)
      console.log(
        `${id}  ${failedAt}  ${stage.padEnd(16)} ${code}${count > 1 ? ` (${count} times)` : ''}\n  ${sanitize(reason)}`,
      );
    if (next === undefined) return;
    query.set('cursor', next);
  }
};

/** The payload from a file, or as it comes back from $EDITOR. A delivery's body is shown as text where it is text. */
const edit = async (id: string, file: string | undefined): Promise<void> => {
  const { payload } = z.object({ payload: z.json() }).parse(await call('GET', pathOf(id)));
  const text =
    file === undefined ? edited(JSON.stringify(opened(payload), null, 2)) : readFileSync(file, 'utf8');
  const path = `${pathOf(id)}/payload?by=${encodeURIComponent(by)}`;
  await call('PUT', path, closed(z.json().parse(JSON.parse(text))));
  console.log(`Saved. Replay it with: hub failures replay ${id}`);
};

const edited = (text: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'hub-'));
  try {
    const path = join(folder, 'payload.json');
    writeFileSync(path, text, { mode: 0o600 });
    const { status } = spawnSync(process.env['EDITOR'] ?? 'vi', [path], { stdio: 'inherit', shell: false });
    if (status !== 0)
      throw new HubError('not-edited', 'The editor ended with an error; nothing was saved.', {
        retry: 'never',
      });
    return readFileSync(path, 'utf8');
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const Delivery = z.looseObject({ type: z.literal('delivery'), request: z.looseObject({ body: z.string() }) });
const Opened = z.looseObject({
  type: z.literal('delivery'),
  request: z.looseObject({ bodyText: z.string() }),
});

/** A body that is text is edited as text, under `bodyText`. */
export const opened = (payload: unknown): unknown => {
  const delivery = Delivery.safeParse(payload);
  if (!delivery.success) return payload;
  const { body, ...request } = delivery.data.request;
  const text = Buffer.from(body, 'base64').toString();
  if (Buffer.from(text).toString('base64') !== body) return payload;
  return { ...delivery.data, request: { ...request, bodyText: text } };
};

export const closed = (payload: unknown): unknown => {
  const delivery = Opened.safeParse(payload);
  if (!delivery.success) return payload;
  const { bodyText, ...request } = delivery.data.request;
  return { ...delivery.data, request: { ...request, body: Buffer.from(bodyText).toString('base64') } };
};
