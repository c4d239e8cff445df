/** Capacity units as DynamoDB counts them, so that the cost of a design can be counted on one machine. */
export interface Capacity {
  read: number;
  write: number;
}

const READ_UNIT = 4096;
const WRITE_UNIT = 1024;

/** A strongly consistent read of so many bytes; an eventually consistent one costs half. */
export const readUnits = (bytes: number, consistent: boolean): number =>
  Math.max(1, Math.ceil(bytes / READ_UNIT)) * (consistent ? 1 : 0.5);

/** A write counts the larger of the item before and after. */
export const writeUnits = (before: number, after: number): number =>
  Math.max(1, Math.ceil(Math.max(before, after) / WRITE_UNIT));

export const consumed = (table: string, capacity: Partial<Capacity>, wanted: unknown): object | undefined => {
  if (wanted !== 'TOTAL' && wanted !== 'INDEXES') return undefined;
  const { read = 0, write = 0 } = capacity;
  return {
    TableName: table,
    CapacityUnits: read + write,
    ...(read > 0 && { ReadCapacityUnits: read }),
    ...(write > 0 && { WriteCapacityUnits: write }),
    ...(wanted === 'INDEXES' && { Table: { CapacityUnits: read + write } }),
  };
};
