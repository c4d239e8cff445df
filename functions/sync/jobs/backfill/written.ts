import type { BulkOutcome, CrmResult, CrmSession } from '../../../../core/crm/connector.ts';

/** A session that does not write again what work in bulk has written, by object, with the same values. */
export const withWritten = (session: CrmSession, written: ReadonlyMap<string, BulkOutcome>): CrmSession => ({
  ...session,
  async upsert(object, keyField, records, call) {
    const present: CrmResult[] = [];
    const others = records.filter((record) => {
      const id = written.get(object)?.idOf(record);
      if (id !== undefined) present.push({ key: record.key, id });
      return id === undefined;
    });
    return others.length === 0
      ? present
      : [...present, ...(await session.upsert(object, keyField, others, call))];
  },
});
