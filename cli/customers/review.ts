import { parseArgs } from 'node:util';
import { CONNECTION_HELP } from '../command.ts';
import { currentUser } from '../terminal/user.ts';
import { printReviews, resolveReview } from './reviews.ts';
import { runCommand } from './run-command.ts';

export const usage = `Usage: hub review list [--limit N]
       hub review resolve REVIEW DECISION

Lists what needs a decision, with what to compare and the commands that decide it, and decides it:

  resolve REVIEW merge|distinct [IDENTIFIER] [--reason TEXT]
      two customers: one person, of whom the one with the identifier stays; or two for good
  resolve REVIEW assign IDENTIFIER, resolve REVIEW new|dismiss
      an interaction: whose it is
  resolve REVIEW --record RECORD, resolve REVIEW --create
      several records of a CRM: which is the customer's; or none is, and a new one may be made
  resolve REVIEW erase|export|done|dismiss [IDENTIFIER] [--yes] [--out FILE]
      a request that a shop or a CRM passed on

${CONNECTION_HELP}`;

const options = {
  record: { type: 'string' },
  create: { type: 'boolean', default: false },
  by: { type: 'string' },
} as const;

/** `hub review …` */
export const run = async ([verb, ...args]: readonly string[]): Promise<number> => {
  const code =
    verb === 'list' ? await printReviews(args) : verb === 'resolve' ? await resolve(args) : undefined;
  if (code !== undefined) return code;
  console.error(usage);
  return 2;
};

const resolve = (args: readonly string[]): Promise<number | undefined> => {
  if (!args.some((one) => /^--(?:record|create)\b/u.test(one))) return resolveReview(args);
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [review, ...more] = positionals;
  const { record, create, by = currentUser() } = values;
  if (review === undefined || more.length > 0 || (record !== undefined) === create)
    return Promise.resolve(undefined);
  const decision = record === undefined ? { decision: 'new' } : { decision: 'record', record };
  return runCommand({ command: 'resolve', review, ...decision, by });
};
