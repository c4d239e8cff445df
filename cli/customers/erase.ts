import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { HubError } from '../../core/errors.ts';
import { receiptFault, SignedReceipt } from '../../core/privacy/receipt.ts';
import { call } from '../client/call.ts';
import { waitFor } from '../operations/jobs.ts';
import { sanitize } from '../terminal/sanitize.ts';

const Erasure = z.looseObject({
  id: z.string(),
  state: z.string(),
  progress: z.object({ done: z.number(), total: z.number().optional() }).optional(),
  error: z.object({ code: z.string(), reason: z.string() }).optional(),
  receipt: SignedReceipt.optional(),
});
const Customer = z.looseObject({ id: z.string(), identifiers: z.array(z.string()) });
const POLL_MS = 2000;

const find = async (identifier: string): Promise<z.infer<typeof Customer>> =>
  Customer.parse(await call('GET', `/customers?identifier=${encodeURIComponent(identifier)}`));

const misuse = (message: string): HubError => new HubError('misuse', message, { retry: 'never' });

/** `hub customer erase IDENTIFIER`: shows who it is, asks, waits, and writes the receipt. */
export const eraseCommand = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      yes: { type: 'boolean', default: false },
      by: { type: 'string' },
      reason: { type: 'string' },
      out: { type: 'string' },
      resume: { type: 'string' },
    },
  });
  if (values.resume !== undefined) {
    const { id } = Erasure.parse(await call('POST', `/erasures/${encodeURIComponent(values.resume)}/resume`));
    return finish(id, values.out);
  }
  const [customer] = positionals;
  if (customer === undefined) throw misuse('Say whom: hub customer erase IDENTIFIER.');
  const { id, identifiers } = await find(customer);
  console.log(`Customer ${id} is known as ${identifiers.map(sanitize).join(', ')}.`);
  if (!values.yes && !(await confirmed(customer))) {
    console.error('That is not the same identifier. Nothing was erased.');
    return 1;
  }
  const { by = process.env['USER'] ?? 'cli', reason } = values;
  const asked = Erasure.parse(await call('POST', '/erasures', { customer, by, ...(reason && { reason }) }));
  console.log(
    `Erasure ${asked.id}. What the hub itself holds goes at once, the rest within minutes; a CRM that is down is waited for.`,
  );
  return finish(asked.id, values.out);
};

/** Typed once more, because nothing brings an erased person back. */
const confirmed = async (customer: string): Promise<boolean> => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (
      (await terminal.question('This cannot be undone. Type the identifier again: ')).trim() === customer
    );
  } finally {
    terminal.close();
  }
};

const finish = async (id: string, out: string | undefined): Promise<number> => {
  for (;;) {
    const { state, progress, error, receipt } = Erasure.parse(await call('GET', `/erasures/${id}`));
    if (receipt !== undefined) {
      const file = out ?? `erasure-${id}.json`;
      writeFileSync(file, `${JSON.stringify(receipt, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
      printReceipt(receipt);
      console.log(`The receipt is in ${file}.`);
      return 0;
    }
    if (['failed', 'cancelled'].includes(state)) {
      console.error(
        `${state}: ${sanitize(error?.reason ?? 'it was cancelled.')} Go on with: hub customer erase --resume ${id}`,
      );
      return 1;
    }
    if (process.stderr.isTTY)
      process.stderr.write(`\r\u001b[Kstep ${progress?.done ?? 0} of ${progress?.total ?? '…'}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
};

const printReceipt = ({ receipt }: SignedReceipt): void => {
  for (const { system, what, count, left } of receipt.systems) {
    console.log(`${sanitize(system).padEnd(14)} ${String(count).padStart(6)}  ${sanitize(what)}`);
    for (const one of left) console.log(`${' '.repeat(23)}stays: ${sanitize(one)}`);
  }
};

/** `hub customer receipt FILE`: whether a receipt is what the hub has signed. Needs no hub. */
export const receiptCommand = ([file]: readonly string[]): number => {
  if (file === undefined) throw misuse('Say which file: hub customer receipt FILE.');
  const signed = SignedReceipt.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  const fault = signed.success ? receiptFault(signed.data) : 'It is no receipt of an erasure.';
  if (!signed.success || fault !== undefined) {
    console.error(`Not to be believed: ${fault}`);
    return 1;
  }
  const { receipt, key } = signed.data;
  console.log(`Signed by the key ${sanitize(key.kid)}; the hub lists its keys under GET /erasures/keys.`);
  console.log(
    `Erasure ${sanitize(receipt.erasure)} of the hub ${sanitize(receipt.hub)}, asked for by ${sanitize(receipt.by)} at ${receipt.askedAt}, done at ${receipt.finishedAt}.`,
  );
  printReceipt(signed.data);
  return 0;
};

const Erasures = z.object({
  items: z.array(
    z.looseObject({ id: z.string(), askedAt: z.string(), by: z.string(), finishedAt: z.string().optional() }),
  ),
});

/** `hub customer erasures [IDENTIFIER]` */
export const erasuresCommand = async ([identifier]: readonly string[]): Promise<number> => {
  const query = identifier === undefined ? '' : `?identifier=${encodeURIComponent(identifier)}`;
  const { items } = Erasures.parse(await call('GET', `/erasures${query}`));
  if (items.length === 0) console.log('There are none.');
  for (const { id, askedAt, by, finishedAt } of items)
    console.log(
      `${id}  asked for ${askedAt} by ${sanitize(by)}  ${finishedAt === undefined ? 'not done' : `done ${finishedAt}`}`,
    );
  return 0;
};

/** `hub customer export IDENTIFIER [--out FILE]` */
export const exportCommand = async (args: readonly string[]): Promise<number> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { out: { type: 'string' }, by: { type: 'string' } },
  });
  const [identifier] = positionals;
  if (identifier === undefined) throw misuse('Say whom: hub customer export IDENTIFIER.');
  const { id: profileId } = await find(identifier);
  const { by = process.env['USER'] ?? 'cli' } = values;
  const job = z
    .looseObject({ id: z.string() })
    .parse(await call('POST', '/jobs', { kind: 'export', parameters: { profileId }, by }));
  const code = await waitFor(job.id);
  if (code !== 0) return code;
  const { result } = z
    .looseObject({ result: z.object({ url: z.string() }) })
    .parse(await call('GET', `/jobs/${job.id}`));
  const answer = await fetch(result.url);
  if (!answer.ok || answer.body === null)
    throw misuse(`The bucket answered ${answer.status}. Ask for the export again.`);
  const file = values.out ?? `export-${profileId}.json`;
  await pipeline(Readable.fromWeb(answer.body), createWriteStream(file, { flags: 'wx', mode: 0o600 }));
  console.log(
    `Everything that the hub holds of ${identifier} is in ${file}. The hub keeps its own copy for 30 days.`,
  );
  return 0;
};
