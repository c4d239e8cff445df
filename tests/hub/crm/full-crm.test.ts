import { afterEach, expect, it } from 'vitest';
import { type Crm, crmIds, type FullCrm, type Known, openFullCrm } from '../../support/crm/full-crm.ts';

/** People whom the CRM knows before the hub comes; `PEOPLE=1000` takes a minute for each CRM. */
const PEOPLE = Number(process.env['PEOPLE'] ?? 40);
const MINUTE = 60_000;
/** People who write at the same moment. */
const AT_ONCE = 100;

interface Person {
  /** What the person writes from. */
  readonly identifier: string;
  /** What the CRM holds, as somebody typed it there. */
  readonly held: Known;
}

const six = (number: number): string => String(100_000 + number);
const us = (number: number, write: (area: string, exchange: string, line: string) => Known): Person => {
  const digits = six(number);
  const [exchange, line] = [`7${digits.slice(0, 2)}`, digits.slice(2)];
  return { identifier: `phone:+1415${exchange}${line}`, held: write('415', exchange, line) };
};
/** How people write, and how staff have written them down. */
const spellings: readonly ((number: number, crm: Crm) => Person)[] = [
  (n) => ({ identifier: `email:person${n}@example.com`, held: { email: `Person${n}@Example.COM` } }),
  (n) => ({
    identifier: `email:person${n}@example.com`,
    held: { email: `person${n}@example.com`, phone: `(212) 6${six(n).slice(0, 2)}-${six(n).slice(2)}` },
  }),
  (n) => us(n, (area, exchange, line) => ({ phone: `(${area}) ${exchange}-${line}` })),
  (n) => us(n, (area, exchange, line) => ({ phone: `1 ${area} ${exchange} ${line}` })),
  (n) => us(n, (area, exchange, line) => ({ phone: `${area}.${exchange}.${line} ext. 12` })),
  (n) => us(n, (area, exchange, line) => ({ phone: `+1 (${area}) ${exchange}-${line} x7` })),
  (n) =>
    us(n, (area, exchange, line) => ({
      ...{ phone: `(212) 7${exchange.slice(1)}-${line}`, mobile: `${area}/${exchange}-${line}` },
    })),
  (n) => ({ identifier: `phone:+4930${six(n)}`, held: { phone: `030 ${six(n)}` } }),
  (n) => ({ identifier: `phone:+442079${six(n)}`, held: { phone: `+44 (0)20 79${six(n)}` } }),
  (n, crm) =>
    crm === 'hubspot'
      ? {
          identifier: `email:second${n}@example.com`,
          held: { email: `first${n}@example.com`, more: `Second${n}@example.com;third${n}@example.com` },
        }
      : { identifier: `email:o.brien+${n}@example.com`, held: { email: `O.Brien+${n}@Example.com` } },
];

let full: FullCrm;
afterEach(() => full.close());

const write = async (people: readonly Person[], about: string): Promise<void> => {
  for (let start = 0; start < people.length; start += AT_ONCE) {
    full.write(
      people.slice(start, start + AT_ONCE).map(({ identifier }) => identifier),
      about,
    );
    await full.hub.wait(10_000);
  }
  await full.hub.wait(5 * MINUTE);
};

it.each(crmIds)(
  'whoever is in %s is found there when writing, before and after the job that adopts it, and nobody is doubled',
  async (crm) => {
    full = await openFullCrm(crm);
    const people = Array.from({ length: PEOPLE }, (_, number) => {
      const person = spellings[number % spellings.length]?.(number, crm);
      if (person === undefined) throw new Error(`no spelling for ${number}`);
      const last = `Last${number}`;
      return { ...person, last, record: full.seed({ first: `First${number}`, last, ...person.held }) };
    });
    const [before, others] = [people.slice(0, PEOPLE / 2), people.slice(PEOPLE / 2)];
    await write(before, 'before');
    const job = await full.ended(await full.start());
    expect(job.state).toBe('succeeded');
    await write(others, 'after');
    await write(before, 'again');
    expect(await full.trouble()).toEqual([]);
    expect(full.contacts()).toHaveLength(PEOPLE);
    const keyed = full.keyed();
    const last = new Map(full.contacts().map(({ id, fields }) => [id, fields[full.fieldOf('last')]]));
    for (const { identifier, record, last: name } of people) {
      const { id } = await full.customer(identifier);
      expect(keyed.get(`acme:${id}`), identifier).toEqual([record]);
      expect(last.get(record)).toBe(name);
    }
    if (process.env['PEOPLE'] !== undefined)
      console.info(`${crm}: ${PEOPLE} contacts, ${full.sandbox.requests()} requests`);
  },
  600_000,
);
