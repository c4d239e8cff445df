import { customerIdOf, directoryParts } from '../../../core/timeline/lists.ts';
import type { ReadPlaces } from '../../contracts/ports/projections.ts';

/** All customers, page by page. */
export interface Directory {
  /** Ids of customers and the cursor of the next page; without one there are no more. Merged source profiles may be among them. */
  page(
    cursor: string | undefined,
    limit: number,
  ): Promise<{ readonly ids: string[]; readonly next?: string }>;
}

/** A cursor is the number of a part and, behind a colon, the last key that was read of it. */
export const directory = (read: ReadPlaces): Directory => ({
  async page(cursor, limit) {
    const [part = '0', ...key] = (cursor ?? '0').split(':');
    const beyond = key.length === 0 ? undefined : key.join(':');
    const name = directoryParts[Number(part)];
    if (name === undefined) return { ids: [] };
    const places = await read(name, { limit, ...(beyond !== undefined && { beyond }) });
    const last = places.at(-1);
    const isPartDone = last === undefined || places.length < limit;
    const next = isPartDone ? nextPart(Number(part)) : `${part}:${last.key}`;
    return {
      ids: places.map((place) => customerIdOf(place.key)),
      ...(next !== undefined && { next }),
    };
  },
});

const nextPart = (part: number): string | undefined =>
  part + 1 < directoryParts.length ? String(part + 1) : undefined;
