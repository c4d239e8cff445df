import type { Review } from '../../../core/identity/ledger.ts';
import { reviewKey, reviewPartition } from '../../contracts/keys.ts';
import { reviewOf } from '../../contracts/rows/people.ts';
import type { Table } from '../clients/dynamo.ts';

/** An open review and its id, which is also the place where it is listed. */
export interface OpenReview {
  readonly id: string;
  readonly review: Review;
}

export interface Reviews {
  get(id: string): Promise<OpenReview | undefined>;
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
