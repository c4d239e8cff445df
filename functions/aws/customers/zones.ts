import { customerIdOf, zoneOfKey, zoneParts, zonePrefix } from '../../../core/timeline/lists.ts';
import type { Zones } from '../../contracts/ports/audiences.ts';
import type { ReadPlaces } from '../../contracts/ports/projections.ts';

/** Behind every id of a zone. */
const BEHIND = '\u{10ffff}';

/** Persons by time zone, as the projections list them. */
export const zones = (read: ReadPlaces): Zones => ({
  async inUse() {
    const found = new Set<string>();
    await Promise.all(
      zoneParts.map(async (part) => {
        for (let beyond: string | undefined; ; ) {
          const [first] = await read(part, { limit: 1, ...(beyond !== undefined && { beyond }) });
          if (first === undefined) return;
          const zone = zoneOfKey(first.key);
          found.add(zone);
          beyond = `${zonePrefix(zone)}${BEHIND}`;
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
