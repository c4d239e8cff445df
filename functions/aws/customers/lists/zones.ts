import { customerIdOf, zoneOfKey, zoneParts, zonePrefix } from '../../../../core/timeline/lists.ts';
import type { Zones } from '../../../contracts/ports/audiences.ts';
import type { ReadPlaces } from '../../../contracts/ports/projections.ts';

/** Behind every id of a zone. */
const BEHIND = '\u{10ffff}';

/** Places that are read at once to find the zones: a small hub has no more. */
const PLACES = 25;

/** Persons by time zone, as the projections list them. */
export const zones = (read: ReadPlaces): Zones => ({
  async inUse() {
    const found = new Set<string>();
    await Promise.all(
      zoneParts.map(async (part) => {
        for (let beyond: string | undefined; ; ) {
          const places = await read(part, { limit: PLACES, ...(beyond !== undefined && { beyond }) });
          for (const { key } of places) found.add(zoneOfKey(key));
          const last = places.at(-1);
          if (last === undefined || places.length < PLACES) return;
          beyond = `${zonePrefix(zoneOfKey(last.key))}${BEHIND}`;
        }
      }),
    );
    return [...found].sort();
  },
  async page(part, zone, after, limit) {
    const beginsWith = zonePrefix(zone);
    const places = await read(zoneParts[part] ?? '', {
      ...{ limit, beginsWith },
      ...(after !== undefined && { beyond: `${beginsWith}${after}` }),
    });
    return places.map(({ key }) => customerIdOf(key));
  },
});
