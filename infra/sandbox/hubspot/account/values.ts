import type { PropertyFault } from '../errors.ts';
import type { Property } from './properties.ts';

/** What HubSpot keeps of a value, or why it refuses it. The empty text clears. */
export type Read = { readonly value: string } | { readonly fault: PropertyFault };

export const readValue = (property: Property, raw: string): Read => {
  if (property.readOnly)
    return fault(
      property,
      'READ_ONLY_VALUE',
      `"${property.name}" is a read only property; its value cannot be set.`,
    );
  if (raw === '') return { value: '' };
  switch (property.type) {
    case 'number':
      return Number.isFinite(Number(raw)) && raw.trim() !== ''
        ? { value: raw.trim() }
        : fault(property, 'INVALID_INTEGER', `${raw} was not a valid number`);
    case 'date':
      return readDate(property, raw);
    case 'datetime':
      return readDateTime(property, raw);
    case 'bool':
      return readOptions(property, [raw.toLowerCase()], raw);
    case 'enumeration':
      return readOptions(
        property,
        property.fieldType === 'checkbox' ? raw.split(';').filter(Boolean) : [raw],
        raw,
      );
    default:
      return property.name === 'email' ? readEmail(property, raw) : { value: raw };
  }
};

const fault = ({ name }: Property, error: string, message: string): Read => ({
  fault: { name, error, message },
});

// HubSpot knows the top-level domains; these stand for those that do not exist.
const NO_SUCH_DOMAIN = ['bad', 'invalid', 'local', 'internal', 'con'];

export const isEmail = (text: string): boolean => {
  const [local, domain, ...more] = text.split('@');
  if (!local || !domain || more.length > 0 || /[\s,;<>()"]/u.test(text)) return false;
  const labels = domain.split('.');
  return (
    labels.length > 1 &&
    labels.every((label) => /^[\p{L}\p{N}-]+$/u.test(label)) &&
    !NO_SUCH_DOMAIN.includes(String(labels.at(-1)).toLowerCase())
  );
};

const readEmail = (property: Property, raw: string): Read => {
  const value = raw.trim().toLowerCase();
  return isEmail(value) ? { value } : fault(property, 'INVALID_EMAIL', `Email address ${raw} is invalid`);
};

const readOptions = (property: Property, values: readonly string[], raw: string): Read => {
  const wrong = values.find((value) => property.options.every((option) => option.value !== value));
  if (wrong === undefined) return { value: property.fieldType === 'checkbox' ? raw : values.join(';') };
  const allowed = property.options.map(({ label, value }) => `label: "${label}"\nvalue: "${value}"\n`);
  return fault(
    property,
    'INVALID_OPTION',
    `${wrong} was not one of the allowed options: [${allowed.join(', ')}]`,
  );
};

const DAY = 86_400_000;
const DATE = /^\d{4}-\d{2}-\d{2}$/u;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})$/u;

/** Epoch milliseconds of an ISO text or of epoch milliseconds in digits; NaN for anything else. */
export const instantOf = (raw: string): number => {
  if (/^-?\d{1,15}$/u.test(raw)) return Number(raw);
  return DATE.test(raw) || DATE_TIME.test(raw) ? Date.parse(raw) : Number.NaN;
};

const readDate = (property: Property, raw: string): Read => {
  const instant = instantOf(raw);
  if (Number.isNaN(instant)) return fault(property, 'INVALID_DATE', `${raw} was not a valid date.`);
  if (instant % DAY === 0) return { value: new Date(instant).toISOString().slice(0, 10) };
  const at = new Date(instant);
  return fault(
    property,
    'INVALID_DATE',
    `${raw} is at ${at.getUTCHours()}:${at.getUTCMinutes()}:${at.getUTCSeconds()}.${at.getUTCMilliseconds()} UTC, not midnight!`,
  );
};

const readDateTime = (property: Property, raw: string): Read => {
  const instant = instantOf(raw);
  return Number.isNaN(instant) || Math.abs(instant) > 8.64e15
    ? fault(property, 'INVALID_LONG', `${raw} was not a valid long.`)
    : { value: new Date(instant).toISOString() };
};
