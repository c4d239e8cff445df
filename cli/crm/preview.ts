import { type FieldPreview, previewCrm } from '../client/crm-preview.ts';
import { findCustomer } from '../client/customers.ts';
import type { HubConnection } from '../client/request.ts';
import { sanitize, sanitizeJson } from '../terminal/sanitize.ts';

/** Prints what the hub would write to a CRM for a customer, given by id or by identifier. Resolves to the exit code. */
export const printPreview = async (
  hub: HubConnection,
  crm: string,
  customer: string,
  isJson: boolean,
): Promise<number> => {
  const id = customer.includes(':') ? (await findCustomer(hub, customer)).id : customer;
  const preview = await previewCrm(hub, id, crm);
  if (isJson) {
    console.log(sanitizeJson(preview, 2));
    return 0;
  }
  const { object, status, says, record, fields } = preview;
  console.log(`${crm} ${object}${record === undefined ? '' : ` ${sanitize(record)}`}: ${status}`);
  console.log(`  ${sanitize(says)}`);
  const width = Math.max(0, ...fields.map(({ field }) => field.length));
  for (const field of fields) for (const line of fieldLines(field, width)) console.log(line);
  const count = fields.filter((one) => 'written' in one).length;
  console.log(`${count} of ${fields.length} fields would be written. Nothing was sent.`);
  return 0;
};

const fieldLines = (field: FieldPreview, width: number): string[] => {
  const { written, ours, theirs, at } = field;
  const isWritten = written !== undefined;
  const shown = isWritten ? `→ ${shownValue(written)}` : `· ${ours === undefined ? '' : shownValue(ours)}`;
  const held =
    theirs === undefined ? '' : `; the CRM held ${shownValue(theirs)}${at === undefined ? '' : ` at ${at}`}`;
  return [
    `  ${field.field.padEnd(width)}  ${shown}`.trimEnd(),
    `  ${''.padEnd(width)}    ${field.write}, ${sanitize(field.rule)}: ${sanitize(field.why)}${held}`,
  ];
};

const shownValue = (value: unknown): string => (value === null ? 'empty' : sanitizeJson(value));
