import * as z from 'zod';
import { call } from '../client/call.ts';
import { give } from '../client/command.ts';
import { sanitizeJson } from '../terminal/sanitize.ts';
import { consentCommand, printConsent, reopenCommand } from './consent.ts';
import { eraseCommand, erasuresCommand, exportCommand, receiptCommand } from './erase.ts';
import { printCustomers } from './list.ts';
import { printReviews } from './reviews.ts';
import { printTimeline } from './timeline.ts';

const Customer = z.looseObject({ id: z.string(), identifiers: z.array(z.string()) });
const usage = `hub customer list [--recent | --waiting | --name BEGINNING] [--limit N]
                                            last talked with, waiting longest for us, or by name or last name
hub customer show IDENTIFIER
hub customer timeline IDENTIFIER [--channel CHANNEL]… [--kind KIND]… [--last N] [--raw] [--json]
                                            --raw: every interaction as it is stored, statuses and edits too
hub customer ledger IDENTIFIER              who was merged, split off or taken apart, when, by whom and why
hub customer consent IDENTIFIER             what they agreed to, by which proof, and every answer there was
hub customer consent IDENTIFIER CHANNEL STATUS [--evidence TEXT] [--at TIME]
hub customer reopen IDENTIFIER [--evidence TEXT]   after a bounce or a complaint, when its owner asks for it
hub customer merge KEEP OTHER
hub customer unmerge IDENTIFIER [MERGE]     the newest merge, or the one that the ledger calls MERGE
hub customer split IDENTIFIER               makes this one identifier a customer of its own
hub customer close IDENTIFIER               nothing is owed to them any more; what they ask later opens it again
hub customer export IDENTIFIER [--out FILE]  everything that is held of a person, attachments too, as JSON
hub customer erase IDENTIFIER [--reason TEXT] [--yes] [--out FILE]
                                            erases a person everywhere, and writes the signed receipt
hub customer erase --resume ERASURE         goes on with one that has failed
hub customer erasures [IDENTIFIER]          which were asked for
hub customer receipt FILE                   checks a receipt; needs no hub
hub customer reviews                        what waits for a person's decision
hub customer resolve REVIEW merge|apart|assign|new|dismiss [IDENTIFIER]

IDENTIFIER is type:value, for example email:ada@example.com. HUB_URL and HUB_KEY say which hub, and its API key;
\`npm start\` prints both.`;

const Ledger = z.object({ items: z.array(z.looseObject({})) });

const commands: Readonly<Record<string, (args: readonly string[]) => object | undefined>> = {
  merge: ([keep, other]) => (keep && other ? { command: 'merge', keep, other } : undefined),
  unmerge: ([customer, merge]) =>
    customer ? { command: 'unmerge', customer, ...(merge && { merge }) } : undefined,
  close: ([customer]) => (customer ? { command: 'close', customer } : undefined),
  reopen: ([identifier, ...why]) => (identifier ? reopenCommand(identifier, why) : undefined),
  consent: ([customer, ...answer]) => (customer ? consentCommand(customer, answer) : undefined),
  split: ([identifier]) => (identifier ? { command: 'split', identifier } : undefined),
  resolve: ([review, decision, customer]) =>
    review && decision ? { command: 'resolve', review, decision, ...(customer && { customer }) } : undefined,
};

const reads: Readonly<Record<string, (identifier: string, args: readonly string[]) => Promise<void>>> = {
  show: async (identifier) => console.log(sanitizeJson(await find(identifier), 2)),
  timeline: async (identifier, args) => printTimeline((await find(identifier)).id, args),
  consent: async (identifier) => printConsent((await find(identifier)).id),
  async ledger(identifier) {
    const { id } = await find(identifier);
    const { items } = Ledger.parse(await call('GET', `/customers/${id}/ledger`));
    for (const entry of items) console.log(sanitizeJson(entry));
  },
};

const longer: Readonly<Record<string, (args: readonly string[]) => number | Promise<number>>> = {
  export: exportCommand,
  erase: eraseCommand,
  erasures: erasuresCommand,
  receipt: receiptCommand,
};

/** `hub customer …` against a running hub. */
export const customerCommand = async ([verb = '', ...args]: readonly string[]): Promise<number> => {
  const [first] = args;
  if (verb === 'reviews') {
    await printReviews();
    return 0;
  }
  if (verb === 'list') {
    const printed = await printCustomers(args, Date.now());
    if (printed === undefined) console.error(usage);
    return printed ?? 2;
  }
  const long = longer[verb];
  if (long !== undefined) return long(args);
  const read = reads[verb];
  if (read !== undefined && first !== undefined && !(verb === 'consent' && args.length > 1)) {
    await read(first, args.slice(1));
    return 0;
  }
  const command = commands[verb]?.(args);
  if (command === undefined) {
    console.error(usage);
    return 2;
  }
  return give(command);
};

const find = async (identifier: string): Promise<z.infer<typeof Customer>> =>
  Customer.parse(await call('GET', `/customers?identifier=${encodeURIComponent(identifier)}`));
