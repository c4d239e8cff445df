/** DynamoDB takes 32 levels; a row and the customer in it use three. */
const DEEPEST = 28;
/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const [SMALLEST, LARGEST] = [1e-130, 9.9e125];

interface StorageFault {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The first thing in a JSON value that DynamoDB does not store; undefined if there is none. */
export const storageFault = (value: unknown, path: readonly PropertyKey[] = []): StorageFault | undefined => {
  const message = faultOf(value, path.length);
  if (message !== undefined) return { path, message };
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const fault = storageFault(member, [...path, Array.isArray(value) ? Number(name) : name]);
    if (fault) return fault;
  }
  return undefined;
};

const faultOf = (value: unknown, depth: number): string | undefined => {
  if (typeof value === 'number' && value !== 0) {
    const size = Math.abs(value);
    return size < SMALLEST || size > LARGEST ? 'a number outside the range of DynamoDB' : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= DEEPEST) return `nested deeper than ${DEEPEST} levels`;
  return !Array.isArray(value) && Object.hasOwn(value, '') ? 'a member without a name' : undefined;
};

type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** A JSON value whose parts that DynamoDB does not store are JSON text instead, so that nothing is lost. */
const storable = (value: Json, depth: number): Json => {
  if (faultOf(value, depth) !== undefined) return JSON.stringify(value);
  if (Array.isArray(value)) return value.map((one) => storable(one, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, storable(one, depth + 1)]));
};

/** Properties or traits as DynamoDB stores them; a member without a name is called `unnamed`. */
export const storableMembers = (members: Readonly<Record<string, Json>>): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(members).map(([name, one]) => [name === '' ? 'unnamed' : name, storable(one, 1)]),
  );
