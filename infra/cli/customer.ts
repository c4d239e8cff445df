import * as z from 'zod';
import { call } from './call.ts';

const Customer = z.looseObject({ id: z.string(), identifiers: z.array(z.string()) });
const Timeline = z.object({
  items: z.array(
    z.looseObject({
      occurredAt: z.string(),
      channel: z.string(),
      direction: z.string(),
      kind: z.string(),
      text: z.string().optional(),
      subject: z.string().optional(),
    }),
  ),
  next: z.string().optional(),
});

const usage = `hub customer show IDENTIFIER
hub customer timeline IDENTIFIER
hub customer merge KEEP OTHER
hub customer unmerge IDENTIFIER

IDENTIFIER is type:value, for example email:ada@example.com. HUB_URL and HUB_KEY say which hub, and its API key;
\`npm start\` prints both.`;

/** `hub customer …` against a running hub. */
export const customerCommand = async ([verb, ...args]: readonly string[]): Promise<number> => {
  const [first, second] = args;
  if (first === undefined || (verb === 'merge' && second === undefined)) {
    console.error(usage);
    return 2;
  }
  if (verb === 'show') {
    console.log(JSON.stringify(await find(first), null, 2));
    return 0;
  }
  if (verb === 'timeline') {
    await printTimeline((await find(first)).id);
    return 0;
  }
  if (verb === 'merge' || verb === 'unmerge') {
    const command =
      verb === 'merge' ? { command: verb, keep: first, other: second } : { command: verb, customer: first };
    const answer = z.object({ id: z.string() }).parse(await call('POST', '/commands', command));
    console.log(
      `Accepted as ${answer.id}. It is done as soon as the queue has delivered it, usually within a second.`,
    );
    return 0;
  }
  console.error(usage);
  return 2;
};

const find = async (identifier: string): Promise<z.infer<typeof Customer>> =>
  Customer.parse(await call('GET', `/customers?identifier=${encodeURIComponent(identifier)}`));

const printTimeline = async (id: string): Promise<void> => {
  let cursor: string | undefined;
  do {
    const query = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page = Timeline.parse(
      await call('GET', `/customers/${id}/timeline?order=oldest&limit=200${query}`),
    );
    for (const { occurredAt, channel, direction, kind, subject, text } of page.items) {
      const arrow = direction === 'inbound' ? '→' : direction === 'outbound' ? '←' : '·';
      console.log(
        [
          occurredAt,
          arrow,
          channel.padEnd(9),
          kind.padEnd(15),
          subject ?? '',
          (text ?? '').replaceAll('\n', ' '),
        ].join(' '),
      );
    }
    cursor = page.next;
  } while (cursor !== undefined);
};
