import * as z from 'zod';
import { call } from '../client/call.ts';
import { sanitize } from '../terminal/sanitize.ts';

const Pair = z.looseObject({
  id: z.string(),
  type: z.literal('pair'),
  reason: z.enum(['strong', 'unmerged']),
  profileIds: z.array(z.string()),
});
const Waiting = z.looseObject({
  id: z.string(),
  type: z.literal('interaction'),
  reason: z.enum(['no-identifier', 'over-limit']),
  interaction: z.looseObject({
    occurredAt: z.string(),
    channel: z.string(),
    kind: z.string(),
    provider: z.string(),
    identifiers: z.array(z.string()),
    subject: z.string().optional(),
    text: z.string().optional(),
  }),
});
const Reviews = z.object({ items: z.array(z.discriminatedUnion('type', [Pair, Waiting])) });
const Person = z.looseObject({
  identifiers: z.array(z.string()),
  name: z.looseObject({ full: z.string().optional() }).optional(),
});

const why = {
  strong: 'named together, and what should be one of a kind differs',
  unmerged: 'named together, and parted before',
  'no-identifier': 'names nobody',
  'over-limit': 'names nobody who may be known by it',
} as const;

/** `hub customer reviews`: each question with what a person needs to answer it. */
export const printReviews = async (): Promise<void> => {
  const { items } = Reviews.parse(await call('GET', '/reviews'));
  if (items.length === 0) console.log('Nothing waits for a decision.');
  for (const item of items) {
    console.log(`${item.id}\n  ${why[item.reason]}`);
    const lines = item.type === 'pair' ? await Promise.all(item.profileIds.map(person)) : [said(item)];
    for (const line of lines) console.log(`  ${line}`);
  }
};

const person = async (profileId: string): Promise<string> => {
  const { identifiers, name } = Person.parse(
    await call('GET', `/customers/${encodeURIComponent(profileId)}`),
  );
  return [name?.full, ...identifiers].flatMap((one) => (one === undefined ? [] : sanitize(one))).join('  ');
};

const said = ({ interaction }: z.infer<typeof Waiting>): string => {
  const { occurredAt, channel, kind, provider, identifiers, subject, text } = interaction;
  const words = [subject, text, ...identifiers].flatMap((one) => (one === undefined ? [] : sanitize(one)));
  return [occurredAt, channel, kind, `by ${provider}`, ...words].join('  ');
};
