import type { SandboxAnswer } from '../../protocol/server.ts';
import { ApiError } from '../data/errors.ts';
import { timestamp } from '../data/values.ts';
import type { ObjectType } from '../schema/fields.ts';
import type { Call } from './call.ts';

/** Epoch milliseconds. */
const span = ({ query }: Call): readonly [start: number, end: number] => {
  const [start, end] = ['start', 'end'].map((name) => Date.parse(query.get(name)?.replace(' ', '+') ?? ''));
  if (start === undefined || end === undefined || Number.isNaN(start + end))
    throw new ApiError(400, 'INVALID_REPLICATION_DATE', 'start and end are required as ISO 8601 dates');
  if (start > end) throw new ApiError(400, 'INVALID_REPLICATION_DATE', 'startDate after endDate');
  return [start, end];
};

const changed = (call: Call, type: ObjectType, deleted: boolean) => {
  const [start, end] = span(call);
  const records = call.org.all(type).filter(({ fields }) => {
    const time = Date.parse(String(fields['SystemModstamp']));
    return (fields['IsDeleted'] === true) === deleted && time >= start && time <= end;
  });
  return { records, latestDateCovered: timestamp(end) };
};

/** `/sobjects/X/updated` */
export const updatedIn = (call: Call, type: ObjectType): SandboxAnswer => {
  const { records, latestDateCovered } = changed(call, type, false);
  return { status: 200, body: { ids: records.map(({ id }) => id), latestDateCovered } };
};

/** `/sobjects/X/deleted` */
export const deletedIn = (call: Call, type: ObjectType): SandboxAnswer => {
  const { records, latestDateCovered } = changed(call, type, true);
  const deletedRecords = records.map(({ id, fields }) => ({ id, deletedDate: fields['SystemModstamp'] }));
  return { status: 200, body: { deletedRecords, earliestDateAvailable: timestamp(0), latestDateCovered } };
};
