import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findCustomer } from '../client/customers.ts';
import { hubOfEnvironment } from '../client/environment.ts';
import { getErasure, listErasures, requestErasure, resumeErasure } from '../client/erasures.ts';
import type { HubConnection } from '../client/request.ts';
import { ask } from '../terminal/ask.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { newFile } from '../terminal/new-file.ts';
import { sanitize } from '../terminal/sanitize.ts';
import { currentUser } from '../terminal/user.ts';
import { printReceipt } from './receipt.ts';

const POLL_MS = 2000;

/** `hub customer erase IDENTIFIER`: shows the person, asks for confirmation, waits for the end and saves the receipt. */
export const eraseCustomer = async (args: readonly string[]): Promise<number> => {
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
  const hub = hubOfEnvironment();
  // A file that is there already is refused before anybody is erased.
  const out = values.out === undefined ? undefined : newFile(values.out, values.out);
  if (values.resume !== undefined) {
    const { id } = await resumeErasure(hub, values.resume);
    return waitForReceipt(hub, id, out);
  }
  const [customer] = positionals;
  if (customer === undefined) throw badArguments('Name the person: hub customer erase IDENTIFIER.');
  const { id, identifiers, claimed = [], guests = [] } = await findCustomer(hub, customer);
  console.log(
    identifiers.length > 0
      ? `Customer ${id} has the identifiers ${identifiers.map(sanitize).join(', ')}.`
      : `Nobody owns ${sanitize(customer)}. The guest ${id} claims ${claimed.map(sanitize).join(', ')}; it is erased unless a person owns one of these.`,
  );
  if (guests.length > 0)
    console.log(
      `${guests.length === 1 ? 'A guest is' : `${guests.length} guests are`} shown with the customer: those that claim nobody else are erased too, the others lose the customer's identifiers.`,
    );
  if (!values.yes && !(await isConfirmed(customer))) {
    console.error('The identifiers differ. Nothing was erased.');
    return 1;
  }
  const { by = currentUser(), reason } = values;
  const erasure = await requestErasure(hub, { customer, by, ...(reason && { reason }) });
  console.log(
    `Erasure ${erasure.id} has started. The hub's own data is erased first, the CRMs follow within minutes or when they are reachable again.`,
  );
  return waitForReceipt(hub, erasure.id, out);
};

const isConfirmed = async (customer: string): Promise<boolean> =>
  (await ask('This cannot be undone. Type the identifier again: ')) === customer;

const waitForReceipt = async (hub: HubConnection, id: string, out: string | undefined): Promise<number> => {
  for (;;) {
    const { state, progress, error, receipt } = await getErasure(hub, id);
    if (receipt !== undefined) {
      const file = newFile(out, `erasure-${id}.json`);
      writeFileSync(file, `${JSON.stringify(receipt, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
      printReceipt(receipt);
      console.log(`Saved the receipt in ${file}.`);
      return 0;
    }
    if (['failed', 'cancelled'].includes(state)) {
      console.error(
        `The erasure has ${state === 'failed' ? `failed: ${sanitize(error?.reason ?? 'no reason given.')}` : 'been cancelled.'} Continue it with: hub customer erase --resume ${id}`,
      );
      return 1;
    }
    if (process.stderr.isTTY)
      process.stderr.write(`\r\u001b[Kstep ${progress?.done ?? 0} of ${progress?.total ?? '…'}`);
    await delay(POLL_MS);
  }
};

/** `hub customer erasures [IDENTIFIER]` */
export const listPastErasures = async ([identifier]: readonly string[]): Promise<number> => {
  const { items } = await listErasures(hubOfEnvironment(), identifier);
  if (items.length === 0) console.log('No erasures.');
  for (const { id, askedAt, by, finishedAt } of items)
    console.log(
      `${id}  requested ${askedAt} by ${sanitize(by)}  ${finishedAt === undefined ? 'not finished' : `finished ${finishedAt}`}`,
    );
  return 0;
};
