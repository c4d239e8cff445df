import { customerIdOf, directoryParts } from '../../../../core/timeline/lists.ts';
import type { ReadPlaces } from '../../../contracts/ports/projections.ts';

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
  async page(cursor = '0', limit) {
    const ids: string[] = [];
    const [first = '0', ...key] = cursor.split(':');
    let beyond = key.length === 0 ? undefined : key.join(':');
    for (let part = Number(first); part < directoryParts.length; part++) {
      const rest = limit - ids.length;
      const options = { limit: rest, ...(beyond !== undefined && { beyond }) };
      const places = await read(directoryParts[part] ?? '', options);
      ids.push(...places.map((place) => customerIdOf(place.key)));
      const last = places.at(-1);
      if (last !== undefined && places.length === rest) return { ids, next: `${part}:${last.key}` };
      beyond = undefined;
    }
    return { ids };
  },
});
