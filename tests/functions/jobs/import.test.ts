import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fileKey, refusedKey } from '../../../functions/contracts/jobs/job.ts';
import { customersKind } from '../../../functions/contracts/jobs/kinds.ts';
import { importJob } from '../../../functions/jobs/import/import.ts';
import { customers } from '../../../functions/jobs/import/listings.ts';
import { run, surroundings } from './import-run.ts';

const good = fc.nat(999).map((n) => ({ csv: `a${n}@example.com,N ${n}`, takes: `email:a${n}@example.com` }));
const lines = fc.oneof(
  { weight: 4, arbitrary: good },
  fc
    .nat(999)
    .map((n) => ({ csv: `a${n}@example.com,"two\nlines ""${n}"""`, takes: `email:a${n}@example.com` })),
  fc.constantFrom(
    { csv: 'a@example.com,b,c' },
    { csv: 'nobody,x' },
    { csv: ',Nobody' },
    { csv: 'a@example.com,"x"y' },
    { csv: '', blank: true },
    { csv: ' , ', blank: true },
  ),
);
type Line = { csv: string; takes?: string; blank?: boolean };

describe('an import in slices', () => {
  it('imports each good row once and refuses each bad one, at any interruption and chunk size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(lines, { maxLength: 25 }),
        fc.integer({ min: 1, max: 7 }),
        fc.infiniteStream(fc.boolean()),
        fc.boolean(),
        async (rows: Line[], mostRows, chance, closed) => {
          const file = `email,name\n${rows.map(({ csv }) => csv).join('\n')}${closed ? '\n' : ''}`;
          const around = surroundings(file);
          const limits = { rows: mostRows, dryRunRows: 1, refusedBytes: 1000 };
          const job = importJob(around.ports, customersKind, customers, limits);
          const parameters = customersKind.parameters.parse({ format: 'csv' });
          const told = await run(job, parameters, () => chance.next().value === true);
          const takes = rows.flatMap(({ takes }) => takes ?? []);
          const taken = [...around.rows.values()].map((text) => JSON.parse(text).identifiers[0]);
          expect(taken.sort()).toEqual(takes.sort());
          const bad = rows.filter(({ takes, blank }) => takes === undefined && blank !== true);
          expect([told.done, told.refused, told.total]).toEqual([
            takes.length,
            bad.length,
            takes.length + bad.length,
          ]);
          const parts = Array.from({ length: told.parts }, (_, part) =>
            around.bucket.get(refusedKey('j', part)),
          );
          const refused = Buffer.concat(parts.flatMap((part) => part ?? [])).toString();
          expect(refused.split('\n').filter((line) => line !== '').length).toBe(
            bad.length === 0 ? 0 : bad.length + 1,
          );
          for (const { csv } of bad) expect(refused).toContain(`,${csv}\n`);
          if (bad.length === 0) return;
          // What was not mended is refused again, for the same reasons and no others.
          const again = surroundings(refused);
          const rerun = importJob(again.ports, customersKind, customers);
          const retold = await run(rerun, parameters, () => false);
          expect([retold.done, retold.refused]).toEqual([0, bad.length]);
          const twice = Buffer.from(again.bucket.get(refusedKey('j', 0)) ?? []).toString();
          const rowsOf = (text: string) =>
            text.replaceAll(/^\d+,(?:"(?:[^"]|"")*"|[^",]*),/gmu, '').split('\n');
          expect(rowsOf(twice)).toEqual(rowsOf(refused));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('fails when the file was replaced', async () => {
    const around = surroundings(`email,name\n${'a@example.com,A\n'.repeat(10)}`);
    const job = importJob(around.ports, customersKind, customers, {
      rows: 3,
      dryRunRows: 3,
      refusedBytes: 1,
    });
    let slices = 0;
    const ended = run(job, customersKind.parameters.parse({ format: 'csv' }), () => {
      if (++slices === 2) around.bucket.set(fileKey('j'), Buffer.from('email,name\n'));
      return false;
    });
    await expect(ended).rejects.toMatchObject({ code: 'changed-file' });
  });
});
