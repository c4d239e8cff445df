import { compileFields, type FieldRule } from '../../../core/crm/mapping/fields.ts';
import type { Measured } from './measured.ts';

const VIEWS = 256;
const ROUNDS = 600;
const REPETITIONS = 12;

const rule = (more: Partial<FieldRule>): FieldRule => ({ transform: [], write: 'always', ...more });

/** A mapping of 20 fields with 3 transforms, beside the same written by hand in the same run. */
export const benchMapping = (): Measured[] => {
  const fields: Record<string, FieldRule> = {};
  for (let at = 0; at < 17; at++) fields[`F${at}`] = rule({ from: `traits.t${at}` });
  fields['First'] = rule({ from: 'name.first', transform: ['trim'] });
  fields['Last'] = rule({ from: 'name.last', transform: ['upper'] });
  fields['Mail'] = rule({ from: 'identifiers.email.primary', transform: ['lower'] });
  const compiled = compileFields(fields);
  const viewOf = (serial: number) => ({
    name: { first: ` Ada${serial} `, last: `Lovelace ${serial}` },
    identifiers: { email: { primary: `Ada${serial}@Example.com` } },
    traits: Object.fromEntries(
      Array.from({ length: 17 }, (_, at): [string, string] => [`t${at}`, `value ${at} of ${serial}`]),
    ),
  });
  const views = Array.from({ length: VIEWS }, (_, serial) => viewOf(serial));
  const handWritten = ({ name, identifiers, traits }: ReturnType<typeof viewOf>): Record<string, unknown> => {
    const record: Record<string, unknown> = {};
    if (traits['t0'] !== undefined && traits['t0'] !== '') record['F0'] = traits['t0'];
    if (traits['t1'] !== undefined && traits['t1'] !== '') record['F1'] = traits['t1'];
    if (traits['t2'] !== undefined && traits['t2'] !== '') record['F2'] = traits['t2'];
    if (traits['t3'] !== undefined && traits['t3'] !== '') record['F3'] = traits['t3'];
    if (traits['t4'] !== undefined && traits['t4'] !== '') record['F4'] = traits['t4'];
    if (traits['t5'] !== undefined && traits['t5'] !== '') record['F5'] = traits['t5'];
    if (traits['t6'] !== undefined && traits['t6'] !== '') record['F6'] = traits['t6'];
    if (traits['t7'] !== undefined && traits['t7'] !== '') record['F7'] = traits['t7'];
    if (traits['t8'] !== undefined && traits['t8'] !== '') record['F8'] = traits['t8'];
    if (traits['t9'] !== undefined && traits['t9'] !== '') record['F9'] = traits['t9'];
    if (traits['t10'] !== undefined && traits['t10'] !== '') record['F10'] = traits['t10'];
    if (traits['t11'] !== undefined && traits['t11'] !== '') record['F11'] = traits['t11'];
    if (traits['t12'] !== undefined && traits['t12'] !== '') record['F12'] = traits['t12'];
    if (traits['t13'] !== undefined && traits['t13'] !== '') record['F13'] = traits['t13'];
    if (traits['t14'] !== undefined && traits['t14'] !== '') record['F14'] = traits['t14'];
    if (traits['t15'] !== undefined && traits['t15'] !== '') record['F15'] = traits['t15'];
    if (traits['t16'] !== undefined && traits['t16'] !== '') record['F16'] = traits['t16'];
    record['First'] = name.first.trim();
    record['Last'] = name.last.toUpperCase();
    record['Mail'] = identifiers.email.primary.toLowerCase();
    return record;
  };
  if (JSON.stringify(views.map((view) => compiled(view))) !== JSON.stringify(views.map(handWritten)))
    throw new Error('Both must give the same records.');
  // The records stay referenced for a while; the compiler would otherwise drop the work.
  const records: object[] = views.map(() => ({}));
  /** Nanoseconds of processor time per record: other programs do not count. */
  const time = (make: (from: ReturnType<typeof viewOf>) => object): number => {
    const began = process.cpuUsage().user;
    for (let round = 0; round < ROUNDS; round++)
      for (const [at, view] of views.entries()) records[at] = make(view);
    return ((process.cpuUsage().user - began) * 1000) / (ROUNDS * VIEWS);
  };
  // Alternately, so that a change of the clock rate falls on both. The first pair warms up.
  const pairs = Array.from({ length: REPETITIONS }, () => [time(compiled), time(handWritten)] as const).slice(
    1,
  );
  const [mapping, reference] = [
    Math.min(...pairs.map(([one]) => one)),
    Math.min(...pairs.map(([, one]) => one)),
  ];
  const name = 'mapping 20 fields with 3 transforms';
  return [
    { name, measured: mapping / 1000, unit: 'µs', goal: { atMost: 3 }, timed: true },
    { name: `${name}, relative to hand-written code`, measured: mapping / reference, unit: '×', timed: true },
  ];
};
