import type { Command } from '../client/commands.ts';
import { findCustomer, getLedger } from '../client/customers.ts';
import { hubOfEnvironment } from '../client/environment.ts';
import type { HubConnection } from '../client/request.ts';
import { CONNECTION_HELP } from '../command.ts';
import { sanitize, sanitizeJson } from '../terminal/sanitize.ts';
import { consentCommand, printConsent, reopenCommand } from './consent.ts';
import { eraseCustomer, listPastErasures } from './erase.ts';
import { exportCustomer } from './export.ts';
import { printCustomers } from './list.ts';
import { mergeCustomers } from './merge.ts';
import { checkReceipt } from './receipt.ts';
import { runCommand } from './run-command.ts';
import { printTimeline } from './timeline.ts';

export const usage = `Usage: hub customer SUBCOMMAND …

Read:
  list [--recent | --waiting | --name PREFIX] [--limit N]
      list customers: most recent conversation first (default), longest waiting for an answer first, or by name
  show IDENTIFIER
      print the customer as JSON
  timeline IDENTIFIER [--channel CHANNEL]… [--kind KIND]… [--last N] [--raw] [--json]
      print the interactions, oldest first; --raw lists status reports and edits as interactions of their own
  ledger IDENTIFIER [--json]
      print why two people are one or apart, and whose an identifier is: each merge, unmerge, split and confirmation with
      its proof, when, and by whom
  consent IDENTIFIER
      print the consent for each channel, its evidence and all answers

Change:
  consent IDENTIFIER CHANNEL STATUS [--evidence TEXT] [--at TIME]
      record an answer about consent
  reopen IDENTIFIER [--evidence TEXT]
      send to an address again that a bounce or a complaint closed
  close IDENTIFIER
      mark the conversation as resolved; the customer's next message opens it again
  merge KEEP OTHER --reason TEXT [--dry-run]
      merge the customer OTHER into the customer KEEP; the ledger keeps the reason. --dry-run shows the result alone
  unmerge IDENTIFIER [MERGE]
      undo the newest merge, or the one with this id in the ledger
  confirm CUSTOMER IDENTIFIER
      give an identifier that was only claimed to the customer
  split IDENTIFIER [CUSTOMER]
      make this identifier a customer of its own; of one that is only claimed, show its guest apart from CUSTOMER

Privacy:
  export IDENTIFIER [--out FILE]
      save everything stored about a person, attachments included, as JSON
  erase IDENTIFIER [--reason TEXT] [--yes] [--out FILE]
      erase a person from the hub and the CRMs and save the signed receipt
  erase --resume ERASURE
      continue an erasure that failed
  erasures [IDENTIFIER]
      list the erasures
  receipt FILE
      verify a receipt; needs no hub

IDENTIFIER is type:value, for example email:ada@example.com.
${CONNECTION_HELP}`;

/** Returns the exit code, or undefined where the arguments are wrong. */
type Subcommand = (args: readonly string[]) => number | undefined | Promise<number | undefined>;

/** A subcommand that prints something about the customer whom the first argument identifies. */
const reading =
  (
    print: (hub: HubConnection, identifier: string, options: readonly string[]) => Promise<void>,
  ): Subcommand =>
  async ([identifier, ...rest]) => {
    if (identifier === undefined) return undefined;
    await print(hubOfEnvironment(), identifier, rest);
    return 0;
  };

/** A subcommand that sends a command to the hub; `commandOf` returns undefined where the arguments are wrong. */
const sending =
  (commandOf: (args: readonly string[]) => Command | undefined): Subcommand =>
  (args) => {
    const command = commandOf(args);
    return command && runCommand(command);
  };

const showConsent = reading(async (hub, identifier) =>
  printConsent(hub, (await findCustomer(hub, identifier)).id),
);
const recordConsent = sending(([customer, ...answer]) =>
  customer ? consentCommand(customer, answer) : undefined,
);

const subcommands: Readonly<Record<string, Subcommand>> = {
  list: (args) => printCustomers(args, Date.now()),
  show: reading(async (hub, identifier) => console.log(sanitizeJson(await findCustomer(hub, identifier), 2))),
  timeline: reading(async (hub, identifier, options) =>
    printTimeline(hub, (await findCustomer(hub, identifier)).id, options),
  ),
  ledger: reading(async (hub, identifier, options) => {
    const { items } = await getLedger(hub, (await findCustomer(hub, identifier)).id);
    const isJson = options.includes('--json');
    for (const entry of items)
      console.log(
        isJson ? sanitizeJson(entry) : `${entry.at}  ${entry.type} ${entry.id}\n  ${sanitize(entry.why)}`,
      );
  }),
  consent: (args) => (args.length > 1 ? recordConsent(args) : showConsent(args)),
  reopen: sending(([identifier, ...options]) =>
    identifier ? reopenCommand(identifier, options) : undefined,
  ),
  close: sending(([customer]) => (customer ? { command: 'close', customer } : undefined)),
  merge: mergeCustomers,
  unmerge: sending(([customer, merge]) =>
    customer ? { command: 'unmerge', customer, ...(merge && { merge }) } : undefined,
  ),
  confirm: sending(([customer, identifier]) =>
    customer && identifier ? { command: 'confirm', customer, identifier } : undefined,
  ),
  split: sending(([identifier, customer]) =>
    identifier ? { command: 'split', identifier, ...(customer && { customer }) } : undefined,
  ),
  export: exportCustomer,
  erase: eraseCustomer,
  erasures: listPastErasures,
  receipt: checkReceipt,
};

/** `hub customer …` */
export const run = async ([name = '', ...args]: readonly string[]): Promise<number> => {
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  const code = await subcommand?.(args);
  if (code !== undefined) return code;
  console.error(usage);
  return 2;
};
