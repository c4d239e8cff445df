import * as z from 'zod';
import type { Review } from '../../../core/identity/ledger.ts';
import { reviewDecisionKey, reviewKey, reviewPartition } from '../../contracts/keys.ts';
import type { CommandMessage } from '../../contracts/messages/record.ts';
import { reviewOf } from '../../contracts/rows/people.ts';
import type { Row } from '../../contracts/rows/row.ts';
import type { Table } from '../clients/dynamo.ts';

/** An open review and its id, which is also the place where it is listed. */
export interface OpenReview {
  readonly id: string;
  readonly review: Review;
}

/** What a person decided about a review that is open no more. */
const Decision = z.looseObject({
  /** The id of the command. */
  command: z.string(),
  decision: z.string(),
  record: z.string().optional(),
  by: z.string(),
  at: z.string(),
});

/** Who decides what somebody else has decided does so soon after it. */
const RETENTION_SECONDS = 30 * 86_400;

/** The row that says how a review was decided. */
export const decisionRow = ({
  id: command,
  review,
  decision,
  record,
  by,
  at,
}: Extract<CommandMessage, { command: 'resolve' }>): Row => ({
  ...reviewDecisionKey(review),
  ...{ command, decision, by, at, ...(record !== undefined && { record }) },
  expiresAt: Math.floor(Date.parse(at) / 1000) + RETENTION_SECONDS,
});

export interface Reviews {
  get(id: string): Promise<OpenReview | undefined>;
  /** How a review was decided by a command, in the last 30 days. */
  decision(id: string): Promise<z.infer<typeof Decision> | undefined>;
  /** At most `limit` open reviews by id, from behind `beyond` on; `hasMore`: whether others follow. */
  page(
    limit: number,
    beyond: string | undefined,
  ): Promise<{ readonly items: readonly OpenReview[]; readonly hasMore: boolean }>;
}

export const reviews = (table: Table): Reviews => ({
  async get(id) {
    const [row] = await table.get([reviewKey(id)]);
    return row && { id, review: reviewOf(row) };
  },
  async decision(id) {
    const [row] = await table.get([reviewDecisionKey(id)]);
    return row && Decision.parse(row);
  },
  async page(limit, beyond) {
    const items: OpenReview[] = [];
    let behind = beyond;
    for (;;) {
      const { rows, isLast } = await table.page(reviewPartition, { pageSize: limit - items.length }, behind);
      items.push(...rows.map((row) => ({ id: row.sk, review: reviewOf(row) })));
      behind = rows.at(-1)?.sk ?? behind;
      if (isLast || items.length >= limit) return { items, hasMore: !isLast };
    }
  },
});
