import * as z from 'zod';

/**
 * Lists of words that later releases make longer, such as the channels. A tolerant reader keeps a word that this release does
 * not know, and nothing here matches it. Words that name a step of work stay closed: this release could not go on from there.
 */
export const openWords = z.registry();

/**
 * The schema by which the hub reads what a release of itself has written: rows, messages and timers. A release that runs
 * beside this one, or one that was rolled back, may have added members: they are kept at every depth, and stored again with
 * the rest. What this release knows is checked as before. What people write is read by the schema itself, which refuses
 * unknown keys.
 */
export const tolerant = <Schema extends z.core.$ZodType>(schema: Schema): Schema => {
  const reader = readers.get(schema) ?? loosened(schema);
  readers.set(schema, reader);
  // A schema with looser parts is of the same class and has the same output, which no type of zod says.
  return reader as Schema;
};

const readers = new WeakMap<z.core.$ZodType, z.core.$ZodType>();

const loosened = (schema: z.core.$ZodType): z.core.$ZodType => {
  // Every schema of this repository is one of zod's own.
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const withParts = <Def extends z.core.$ZodTypeDef>(parts: Def) => (schema as z.ZodType).clone(parts);
  switch (def.type) {
    case 'object': {
      const shape = Object.fromEntries(Object.entries(def.shape).map(([name, one]) => [name, tolerant(one)]));
      return withParts({ ...def, shape, catchall: z.unknown() });
    }
    case 'record':
      return withParts({
        ...def,
        keyType: tolerant(def.keyType),
        valueType: tolerant(def.valueType),
      });
    case 'array':
      return withParts({ ...def, element: tolerant(def.element) });
    case 'tuple':
      return withParts({ ...def, items: def.items.map(tolerant) });
    case 'union':
      return withParts({ ...def, options: def.options.map(tolerant) });
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'catch':
    case 'readonly':
      return withParts({ ...def, innerType: tolerant(def.innerType) });
    case 'pipe':
      return withParts({ ...def, in: tolerant(def.in), out: tolerant(def.out) });
    case 'lazy':
      return z.lazy(() => tolerant(def.getter()));
    case 'enum':
      return openWords.has(schema) ? z.string() : schema;
    default:
      return schema;
  }
};
