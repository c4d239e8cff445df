import { csvField } from '../../../../core/formats/lists/csv.ts';
import type { Judged } from './judge.ts';

const reasons: Readonly<Record<Extract<Judged, { fate: 'ambiguous' }>['why'], string>> = {
  'shared-address':
    'other records hold the same address: merge them in the CRM, or decide in the review list',
  'several-records': 'several records hold the number of one customer: decide in the review list',
  'another-contact': 'its customer has another contact already: merge the two in the CRM',
};

/** The ambiguous records of a page as lines of a CSV file, ids only; undefined where there are none. */
export const reportedRows = (page: readonly Judged[], isFirst: boolean): string | undefined => {
  const lines = page.flatMap((one) =>
    one.fate === 'ambiguous'
      ? [
          [one.record.id, reasons[one.why], one.records.join(' '), one.subject?.customer.id ?? '']
            .map((cell) => csvField(cell, ','))
            .join(','),
        ]
      : [],
  );
  if (lines.length === 0) return undefined;
  return `${isFirst ? 'record,reason,records,customer\n' : ''}${lines.join('\n')}\n`;
};
