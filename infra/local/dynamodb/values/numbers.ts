import { ServiceError } from '../../protocol/json.ts';

/** An exact decimal number: `coefficient` × 10^`exponent`, without trailing zeros. */
export interface Decimal {
  readonly coefficient: bigint;
  readonly exponent: number;
}

const MOST_DIGITS = 38;
const LARGEST_EXPONENT = 126;
const SMALLEST_EXPONENT = -130;

const invalid = (message: string): ServiceError => new ServiceError('ValidationException', message);

/** Parses a number as DynamoDB does: at most 38 significant digits, magnitude between 1E-130 and 9.9…E125. */
export const parseDecimal = (text: string): Decimal => {
  const match = /^([+-]?)(\d{0,400})(?:\.(\d{0,400}))?(?:[eE]([+-]?\d{1,6}))?$/u.exec(text);
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match ?? [];
  if (match === null || whole + fraction === '') {
    throw invalid(`The parameter cannot be converted to a numeric value${text === '' ? '' : `: ${text}`}`);
  }
  const coefficient = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`);
  return checked({ coefficient, exponent: Number(exponent) - fraction.length });
};

const checked = (decimal: Decimal): Decimal => {
  const trimmed = trim(decimal);
  const digits = digitsOf(trimmed.coefficient);
  if (trimmed.coefficient === 0n) return trimmed;
  if (digits.length > MOST_DIGITS)
    throw invalid('Attempting to store more than 38 significant digits in a Number');
  const magnitude = trimmed.exponent + digits.length;
  if (magnitude > LARGEST_EXPONENT) {
    throw invalid('Number overflow. Attempting to store a number with magnitude larger than supported range');
  }
  if (magnitude - 1 < SMALLEST_EXPONENT) {
    throw invalid(
      'Number underflow. Attempting to store a number with magnitude smaller than supported range',
    );
  }
  return trimmed;
};

const digitsOf = (coefficient: bigint): string => (coefficient < 0n ? -coefficient : coefficient).toString();

const trim = ({ coefficient, exponent }: Decimal): Decimal => {
  if (coefficient === 0n) return { coefficient, exponent: 0 };
  const digits = coefficient.toString();
  const zeros = digits.length - digits.replace(/0+$/u, '').length;
  return zeros === 0
    ? { coefficient, exponent }
    : { coefficient: coefficient / 10n ** BigInt(zeros), exponent: exponent + zeros };
};

/** The number without an exponent, as DynamoDB returns it. */
export const formatDecimal = ({ coefficient, exponent }: Decimal): string => {
  const sign = coefficient < 0n ? '-' : '';
  const digits = digitsOf(coefficient);
  if (exponent >= 0) return `${sign}${digits}${'0'.repeat(exponent)}`;
  const point = digits.length + exponent;
  if (point > 0) return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
  return `${sign}0.${'0'.repeat(-point)}${digits}`;
};

const PLAIN = /^(?:0|-?[1-9]\d{0,30})$/u;

/** The normal spelling of a number. */
export const normalNumber = (text: string): string =>
  PLAIN.test(text) ? text : formatDecimal(parseDecimal(text));

/** The size in bytes of a number in its normal spelling: one for two digits, one for the exponent, one for the sign. */
export const numberSize = (text: string): number => {
  if (text === '0') return 1;
  const sign = text.startsWith('-') ? 1 : 0;
  const [whole = '', fraction = ''] = text.slice(sign).split('.');
  const digits = `${whole}${fraction}`.replace(/^0+|0+$/gu, '').length;
  const first = whole === '0' ? /[^0]/u.exec(fraction)?.index : undefined;
  const exponent = first === undefined ? whole.length - 1 : -first - 1;
  return 1 + Math.ceil(digits / 2) + (digits % 2 !== 0 || exponent % 2 !== 0 ? 0 : 1) + sign;
};

const aligned = (one: Decimal, other: Decimal): [bigint, bigint, number] => {
  const exponent = Math.min(one.exponent, other.exponent);
  const at = ({ coefficient, exponent: own }: Decimal): bigint => coefficient * 10n ** BigInt(own - exponent);
  return [at(one), at(other), exponent];
};

export const addDecimals = (one: Decimal, other: Decimal): Decimal => {
  const [left, right, exponent] = aligned(one, other);
  return checked({ coefficient: left + right, exponent });
};

export const negate = ({ coefficient, exponent }: Decimal): Decimal => ({
  coefficient: -coefficient,
  exponent,
});

export const compareDecimals = (one: Decimal, other: Decimal): number => {
  const [left, right] = aligned(one, other);
  return left < right ? -1 : left > right ? 1 : 0;
};

/** A text whose byte order is the numeric order. */
export const sortableDecimal = (decimal: Decimal): string => {
  const { coefficient, exponent } = trim(decimal);
  if (coefficient === 0n) return '1';
  const digits = digitsOf(coefficient);
  const magnitude = exponent + digits.length + 200;
  if (coefficient > 0n) return `2${String(magnitude).padStart(3, '0')}${digits}`;
  const mirrored = [...digits].map((digit) => 9 - Number(digit)).join('');
  return `0${String(999 - magnitude).padStart(3, '0')}${mirrored}~`;
};
