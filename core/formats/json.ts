import * as z from 'zod';

type JsonValue = z.core.util.JSONType;

/**
 * Any JSON value, returned as it is. For what strangers send: zod's own `z.json()` tries the members of a union at every
 * level and copies what it has read, which takes three times as long.
 */
export const Json = z.unknown().refine((value): value is JsonValue => isJson(value), 'expected JSON');

/** A JSON object whose members nobody has described. */
export const JsonObject = z.record(z.string(), Json);

const isJson = (value: unknown): boolean => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      return value === null || (Array.isArray(value) ? value.every(isJson) : isPlainObject(value));
    default:
      return false;
  }
};

const isPlainObject = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && Object.values(value).every(isJson);
};
