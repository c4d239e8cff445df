// https://www.rfc-editor.org/rfc/rfc5322#section-4.3
// Old mails and many programs name the zone. A name that nobody knows means UTC without a statement about the zone.

/** Hours from UTC. Those of RFC 5322, and those of other countries that have one meaning in mails. */
const zones: Readonly<Record<string, number>> = {
  ...{ Z: 0, UT: 0, UTC: 0, GMT: 0, EST: -5, EDT: -4, CST: -6, CDT: -5, MST: -7, MDT: -6, PST: -8, PDT: -7 },
  ...{
    AKST: -9,
    AKDT: -8,
    HST: -10,
    WET: 0,
    WEST: 1,
    BST: 1,
    CET: 1,
    CEST: 2,
    MET: 1,
    MEST: 2,
    EET: 2,
    EEST: 3,
  },
  ...{ MSK: 3, SAST: 2, IST: 5.5, SGT: 8, HKT: 8, JST: 9, KST: 9, AWST: 8, ACST: 9.5, ACDT: 10.5 },
  ...{ AEST: 10, AEDT: 11, NZST: 12, NZDT: 13 },
};

/** The minutes from UTC of an offset or of a zone's name; undefined for a name that nobody knows. */
export const zoneMinutes = (zone: string): number | undefined => {
  const [, sign, hours = '0', minutes = '0'] = /^([+-])(\d{2}):?(\d{2})?$/u.exec(zone) ?? [];
  if (sign !== undefined) return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  const name = zone.toUpperCase();
  const named = Object.hasOwn(zones, name) ? zones[name] : undefined;
  return named === undefined ? undefined : named * 60;
};

/**
 * The instant of a local time: year, month from 0, day, hour, minute, second, millisecond. Undefined for a time that does not
 * exist, which would roll over into another.
 */
export const atOffset = (parts: readonly number[], offsetMinutes: number): string | undefined => {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millisecond = 0] = parts;
  const local = new Date(Date.UTC(year, month, day, hour, minute, second, millisecond));
  if (local.getUTCMonth() !== month || local.getUTCDate() !== day || hour > 23 || minute > 59)
    return undefined;
  return new Date(local.getTime() - offsetMinutes * 60_000).toISOString();
};

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const ZONE = String.raw`\s*(?:(?:GMT|UTC)?([+-]\d{2}:?\d{2})|([a-z]{1,5})\b)?`;
const TIME = String.raw`(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?`;
/** `Tue, 3 Mar 2026 04:00:00 EST`, and `Tuesday, 03-Mar-26 04:00:00 GMT`. */
const DAY_FIRST = new RegExp(
  String.raw`^(?:[a-z]{3,9},?\s*)?(\d{1,2})[\s-]+([a-z]{3})[a-z]*\.?,?[\s-]+(\d{2}|\d{4})\s+${TIME}${ZONE}`,
  'iu',
);
/** `Tue Mar 3 04:00:00 2026` of C, with or without a zone, and `Tue Mar 03 2026 04:00:00 GMT-0500` of JavaScript. */
const TIME_FIRST = new RegExp(
  String.raw`^(?:[a-z]{3},?\s+)?([a-z]{3})\s+(\d{1,2})\s+${TIME}${ZONE}\s+(\d{4})\b`,
  'iu',
);
const YEAR_FIRST = new RegExp(
  String.raw`^(?:[a-z]{3},?\s+)?([a-z]{3})[a-z]*\s+(\d{1,2}),?\s+(\d{4}),?\s+${TIME}${ZONE}`,
  'iu',
);

/** A date as mails and the programs behind them write it, as an instant; undefined where it is none. */
export const mailTime = (text: string): string | undefined => {
  const dayFirst = DAY_FIRST.exec(text);
  if (dayFirst) {
    const [, day, month, year, hour, minute, second, offset, name] = dayFirst;
    return at([year, month, day, hour, minute, second], offset ?? name);
  }
  const timeFirst = TIME_FIRST.exec(text);
  if (timeFirst) {
    const [, month, day, hour, minute, second, offset, name, year] = timeFirst;
    return at([year, month, day, hour, minute, second], offset ?? name);
  }
  const [, month, day, year, hour, minute, second, offset, name] = YEAR_FIRST.exec(text) ?? [];
  return year === undefined ? undefined : at([year, month, day, hour, minute, second], offset ?? name);
};

const at = (parts: readonly (string | undefined)[], zone = 'Z'): string | undefined => {
  const [year = '', name = '', ...rest] = parts;
  const month = MONTHS.indexOf(name.toLowerCase());
  const written = Number(year);
  const full = year.length === 4 ? written : written + (written < 50 ? 2000 : 1900);
  return month < 0
    ? undefined
    : atOffset([full, month, ...rest.map((part) => Number(part ?? 0))], zoneMinutes(zone) ?? 0);
};
