import { withoutExtension } from '../../../core/crm/phone.ts';

/** The country codes of one and of two digits; all others have three (ITU-T E.164). */
const oneDigit = /^[17]/u;
const twoDigits = /^(?:2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])/u;

const digitsOf = (text: string): string => text.replaceAll(/\D/gu, '');
const withoutZeros = (digits: string): string => digits.replace(/^0+/u, '');

/**
 * An E.164 number as HubSpot keeps it for its search: without its country code, and with it where somebody typed it without
 * a plus sign; a number, so without zeros in front, which Italian ones have.
 */
export const searchedForms = (e164: string): readonly string[] => {
  const { country, national } = parts(e164);
  return [withoutZeros(national), country + national];
};

const parts = (e164: string): { readonly country: string; readonly national: string } => {
  const digits = digitsOf(e164);
  const length = oneDigit.test(digits) ? 1 : twoDigits.test(digits) ? 2 : 3;
  return { country: digits.slice(0, length), national: digits.slice(length) };
};

/**
 * Whether a number as somebody typed it is an E.164 number: with its country code, with 00 or a bracketed 0 in it too, or
 * as it is dialled inside its country; an extension does not count.
 */
export const isPhone = (typed: string, e164: string): boolean => {
  const { country, national } = parts(e164);
  const digits = withoutZeros(digitsOf(withoutExtension(typed)));
  if (national === '' || digits === '') return false;
  const spellings = [country + national, country + withoutZeros(national), `${country}0${national}`];
  const isLocal = !typed.trim().startsWith('+') && digits === withoutZeros(national);
  return isLocal || spellings.includes(digits);
};
