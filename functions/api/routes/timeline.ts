import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod';
import { Channel, Instant, Kind } from '../../../core/interaction/interaction.ts';
import type { History, TimelineCursor, TimelineQuery, Timelines } from '../../contracts/ports/history.ts';
import { problem } from '../../middleware/http.ts';
import { json, unknownCustomer } from './route.ts';

export interface TimelinePorts {
  readonly history: History;
  readonly timelines: Timelines;
}

/** API Gateway joins what is given several times with commas, and people may do so themselves. */
const listOf = <Value extends string>(one: z.ZodType<Value, string>) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(one))
    .transform((values) => new Set(values))
    .default(new Set<Value>());

const Cursor = z
  .string()
  .transform((text) => Buffer.from(text, 'base64url').toString())
  .pipe(z.templateLiteral([z.enum(['<', '<=', '>', '>=']), z.iso.datetime(), '#', z.string()]))
  .transform((text): TimelineCursor => {
    const [, sign = '', occurredAt = '', id = ''] = /^([<>]=?)([^#]*)#(.*)$/su.exec(text) ?? [];
    return {
      toward: sign.startsWith('<') ? 'older' : 'newer',
      occurredAt: Instant.parse(occurredAt),
      id,
      inclusive: sign.endsWith('='),
    };
  });

const textOf = ({ toward, occurredAt, id, inclusive }: TimelineCursor): string =>
  Buffer.from(`${toward === 'older' ? '<' : '>'}${inclusive ? '=' : ''}${occurredAt}#${id}`).toString(
    'base64url',
  );

const Query = z
  .object({
    order: z.enum(['newest', 'oldest']).default('newest'),
    limit: z.coerce.number().int().min(1).max(200).default(50),
    channel: listOf(Channel),
    kind: listOf(Kind),
    fold: z.enum(['true', 'false']).default('true'),
    cursor: Cursor.optional(),
  })
  .transform(
    ({ channel: channels, kind: kinds, fold, cursor: from, ...rest }): TimelineQuery => ({
      ...{ ...rest, channels, kinds, folded: fold === 'true' },
      ...(from && { from }),
    }),
  );

const expected: Readonly<Record<string, string>> = {
  order: 'order is newest or oldest.',
  limit: 'limit is a whole number from 1 to 200.',
  channel: `channel is one or more of ${Channel.options.join(', ')}.`,
  kind: `kind is one or more of ${Kind.options.join(', ')}.`,
  fold: 'fold is true or false.',
  cursor: 'cursor is the `next` or the `previous` of an earlier page, unchanged.',
};

/**
 * `GET /customers/{id}/timeline`: everything that one person said, did and received, a page at a time. What is told of a
 * message stands with the message, unless `kind` asks for it or `fold=false` for every interaction as it is stored.
 */
export const timelineOf = async (
  event: APIGatewayProxyEventV2,
  { history, timelines }: TimelinePorts,
): Promise<APIGatewayProxyStructuredResultV2> => {
  const query = Query.safeParse(event.queryStringParameters ?? {});
  if (!query.success) {
    const key = String(query.error.issues[0]?.path[0]);
    return problem(400, 'invalid-query', expected[key] ?? '');
  }
  const customer = await history.customer(event.pathParameters?.['id'] ?? '');
  if (customer === undefined) return unknownCustomer();
  const { items, next, previous } = await timelines.page(customer, query.data);
  return json(200, {
    items,
    ...(next && { next: textOf(next) }),
    ...(previous && { previous: textOf(previous) }),
  });
};
