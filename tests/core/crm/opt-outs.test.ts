import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstOptOuts } from '../../../core/crm/first-read.ts';
import { compileMapping } from '../../../core/crm/mapping/mapping.ts';
import {
  fieldsWithoutBase,
  planAdoption,
  planCreation,
  planReport,
  planUpdate,
} from '../../../core/crm/state.ts';
import { minute } from './contact-fields.ts';

const compiled = (rule: object) =>
  compileMapping('test', { contact: { object: 'Contact', key: 'Key', fields: { OptOut: rule } } }).contact
    .fields;
const ticked = [{ lookup: { denied: true, 'service-only': true } }];
const both = { from: 'consent.email', transform: ticked };
const withGrant = {
  from: 'consent.email',
  transform: [{ lookup: { granted: false, denied: true, 'service-only': true } }],
};
const readOnly = { write: 'crm-owns', to: 'consent.email' };
const oursWith = (fields: ReturnType<typeof compiled>, email?: string) => {
  const view = { consent: email === undefined ? {} : { email } };
  return { values: fields.values(view), fallbacks: {} };
};
const optedOut = (value: string) => [{ field: 'OptOut', path: 'consent.email', value }];

describe('a report of the CRM', () => {
  const report = (rule: object, value: unknown, email?: string) => {
    const fields = compiled(rule);
    return planReport(
      fields,
      oursWith(fields, email),
      { OptOut: { theirs: null } },
      {
        ...{ fields: { OptOut: value }, at: minute(1) },
      },
    ).inbound;
  };
  it.each<[string, object, unknown, unknown[]]>([
    ['a tick', both, true, optedOut('denied')],
    ['a tick as a text', both, 'true', optedOut('denied')],
    ['a tick, where false stands for granted', withGrant, true, optedOut('denied')],
    ['a tick in a field of the CRM', readOnly, 'true', optedOut('denied')],
    ['a word of the hub', { from: 'consent.email' }, 'service-only', optedOut('service-only')],
    ['no tick', both, false, []],
    ['no tick, where false stands for granted', withGrant, false, []],
    ['no tick in a field of the CRM', readOnly, 'false', []],
    ['nothing', readOnly, null, []],
    ['the word granted', { from: 'consent.email' }, 'granted', []],
    ['a word that nobody knows', { from: 'consent.email' }, 'maybe', []],
  ])('%s', (_, rule, value, expected) => expect(report(rule, value)).toEqual(expected));

  it('never is anything but an opt-out, whatever the mapping and the value', () => {
    const status = fc.constantFrom('granted', 'service-only', 'denied', 'unknown');
    const table = fc.dictionary(status, fc.oneof(fc.boolean(), fc.constantFrom('granted', 'yes', 'no', '')));
    const rule = fc.oneof(
      table.map((lookup) => ({ from: 'consent.email', transform: [{ lookup }] })),
      table.map((lookup) => ({ ...readOnly, transform: [{ lookup }] })),
      fc.constantFrom(readOnly, { from: 'consent.email' }),
    );
    const value = fc.oneof(fc.boolean(), status, fc.constantFrom(null, '', 'yes', 'no', 0, 1));
    fc.assert(
      fc.property(rule, value, fc.option(status, { nil: undefined }), (one, held, email) => {
        for (const { value: said } of report(one, held, email))
          expect(['denied', 'service-only']).toContain(said);
      }),
    );
  });

  it('that a tick was taken away is not answered with a tick', () => {
    const fields = compiled(withGrant);
    const ours = oursWith(fields, 'denied');
    const { states } = planReport(
      fields,
      ours,
      { OptOut: { ours: true, theirs: true, at: minute(0) } },
      {
        ...{ fields: { OptOut: false }, at: minute(1) },
      },
    );
    expect(planUpdate(fields, ours, states).write).toEqual({});
  });
});

describe('an opt-out here', () => {
  const fields = compiled(both);
  it('is written to a new record, and to one that changes', () => {
    expect(planCreation(fields, oursWith(fields, 'denied')).write).toEqual({ OptOut: true });
    const { states } = planCreation(fields, oursWith(fields));
    expect(planUpdate(fields, oursWith(fields, 'service-only'), states).write).toEqual({ OptOut: true });
  });
  it('is written to a record that is adopted and has false, which no other field is', () => {
    const adopt = (email: string, held: unknown) =>
      planAdoption(fields, oursWith(fields, email), { fields: { OptOut: held }, modifiedAt: minute(0) })
        .write;
    expect([adopt('denied', false), adopt('denied', null)]).toEqual([{ OptOut: true }, { OptOut: true }]);
    expect([adopt('denied', true), adopt('granted', false)]).toEqual([{}, {}]);
    const granting = compiled(withGrant);
    const held = { fields: { OptOut: true }, modifiedAt: minute(0) };
    expect(planAdoption(granting, oursWith(granting, 'granted'), held).write).toEqual({});
  });
});

describe('a record of which nothing is known', () => {
  it.each([both, withGrant, readOnly])('is read for what it says of %j', (rule) => {
    const fields = compiled(rule);
    expect(fieldsWithoutBase(fields, {}, {})).toEqual(['OptOut']);
    expect(firstOptOuts(fields, {}, { OptOut: true })).toEqual(optedOut('denied'));
    expect(firstOptOuts(fields, {}, { OptOut: false })).toEqual([]);
    expect(firstOptOuts(fields, { OptOut: { theirs: true } }, { OptOut: true })).toEqual([]);
  });
  it('is not read if the hub has made it, or only writes the field', () => {
    const fields = compiled(readOnly);
    expect(fieldsWithoutBase(fields, {}, planCreation(fields, oursWith(fields)).states)).toEqual([]);
    const always = compiled({ ...both, write: 'always' });
    expect(fieldsWithoutBase(always, {}, {})).toEqual([]);
  });
});
