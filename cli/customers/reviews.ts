import { parseArgs } from 'node:util';
import { hubOfEnvironment } from '../client/environment.ts';
import {
  getReview,
  openReviews,
  type Review,
  type ReviewedInteraction,
  type Side,
} from '../client/reviews.ts';
import { badArguments } from '../terminal/bad-arguments.ts';
import { sanitize } from '../terminal/sanitize.ts';
import { currentUser } from '../terminal/user.ts';
import { eraseCustomer } from './erase.ts';
import { exportCustomer } from './export.ts';
import { runCommand } from './run-command.ts';

/** `hub review list [--limit N]`: prints each open review with what is needed to decide it. */
export const printReviews = async (args: readonly string[]): Promise<number | undefined> => {
  const { values } = parseArgs({ args: [...args], options: { limit: { type: 'string', default: '50' } } });
  const limit = Number(values.limit);
  if (!Number.isInteger(limit) || limit < 1) return undefined;
  let count = 0;
  for await (const review of openReviews(hubOfEnvironment(), limit)) {
    count++;
    for (const line of reviewLines(review)) console.log(line);
  }
  if (count === 0) console.log('No open reviews.');
  else if (count === limit) console.log(`These are the first ${limit}. See more with --limit.`);
  return 0;
};

const reviewLines = ({ id, reason, openedAt, dueAt, why, ...review }: Review): string[] => [
  [sanitize(id), reason, openedAt && `opened ${openedAt}`, dueAt && `due ${dueAt.slice(0, 10)}`]
    .filter((part) => part !== undefined && part !== '')
    .join('  '),
  `  ${sanitize(why)}`,
  ...review.customers.map((side) => `  ${describeSide(side)}`),
  ...(review.interaction ? [`  ${describeInteraction(review.interaction)}`] : []),
  ...(review.guests ?? []).map((guest) => `  guest ${sanitize(guest)}`),
  ...review.next.map((command) => `  → ${sanitize(command)}`),
];

const describeSide = ({ id, name, identifiers, claimed = [], ...side }: Side): string => {
  const known = [name?.full, ...identifiers, ...claimed.map((one) => `${one} (claimed)`)];
  const dates = `${side.firstSeenAt.slice(0, 10)} to ${side.lastSeenAt.slice(0, 10)}`;
  return [
    ...known.flatMap((one) => (one === undefined ? [] : sanitize(one))),
    dates,
    counted(side.interactions),
    id,
  ].join('  ');
};

const counted = (interactions: number): string =>
  interactions === 1 ? '1 interaction' : `${interactions} interactions`;

const describeInteraction = (interaction: ReviewedInteraction): string => {
  const { occurredAt, channel, kind, provider, identifiers, claimed = [], subject, text } = interaction;
  const marked = identifiers.map((one) => (claimed.includes(one) ? `${one} (claimed)` : one));
  const words = [subject, text, ...marked].flatMap((one) => (one === undefined ? [] : sanitize(one)));
  return [occurredAt, channel, kind, `by ${provider}`, ...words].join('  ');
};

const options = {
  reason: { type: 'string' },
  by: { type: 'string' },
  out: { type: 'string' },
  yes: { type: 'boolean' },
} as const;

/**
 * `hub review resolve REVIEW DECISION [IDENTIFIER]`. `erase` and `export` act for the customer who asks, and close the
 * review once it is done.
 */
export const resolveReview = async (args: readonly string[]): Promise<number | undefined> => {
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
  const [review, decision, customer] = positionals;
  if (review === undefined || decision === undefined) return undefined;
  const { reason, by = currentUser(), out, yes = false } = values;
  if (decision !== 'erase' && decision !== 'export')
    return runCommand({
      ...{ command: 'resolve', review, decision, by },
      ...(customer && { customer }),
      ...(reason && { reason }),
    });
  const hub = hubOfEnvironment();
  const { type, identifier } = await getReview(hub, review);
  const subject = customer ?? identifier;
  if (type !== 'request' || subject === undefined)
    throw badArguments(
      'Only a request for data or for erasure is resolved by erase or export. Name the customer where the request names nobody: hub review resolve REVIEW erase IDENTIFIER.',
    );
  const rest = [...(out === undefined ? [] : ['--out', out]), '--by', by];
  const code =
    decision === 'export'
      ? await exportCustomer([subject, ...rest])
      : await eraseCustomer([subject, ...rest, '--reason', `review ${review}`, ...(yes ? ['--yes'] : [])]);
  if (code !== 0) return code;
  // The erasure of the customer whose request it is has closed the review already.
  const isOpen = decision === 'export' || (await isStillOpen(review));
  return isOpen ? runCommand({ command: 'resolve', review, decision: 'done', by }) : 0;
};

const isStillOpen = async (review: string): Promise<boolean> => {
  for await (const { id } of openReviews(hubOfEnvironment(), Number.MAX_SAFE_INTEGER))
    if (id === review) return true;
  return false;
};
