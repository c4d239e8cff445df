import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { hubConfigFor } from '../../../core/config/hub-config.ts';
import { CrmMapping } from '../../../core/crm/mapping/mapping.ts';

const config = hubConfigFor({
  channels: ['twilio'],
  crms: ['salesforce'],
  senders: ['ses', 'aws-sms', 'sns-push', 'whatsapp-cloud'],
});
const messages = (crms: object): string[] =>
  config.safeParse({ channels: {}, crms }).error?.issues.map(({ message }) => message) ?? [];

it('CRMs of http have names of their own', () => {
  expect(messages({ till: { connector: 'http' }, tryton: { connector: 'http' }, salesforce: {} })).toEqual(
    [],
  );
  expect(messages({ salesforc: {} })).toEqual(['unknown "salesforc"; did you mean salesforce?']);
  for (const name of ['salesforce', 'twilio', 'email', 'http'])
    expect(messages({ [name]: { connector: 'http' } })).toEqual([
      'is the name of something else; choose another',
    ]);
  expect(messages({ till: { connector: 'soap' } })).toHaveLength(1);
});

it('a mapping names how each of its objects is spoken to', () => {
  const example = parse(readFileSync(new URL('../../../docs/examples/tryton.yaml', import.meta.url), 'utf8'));
  const { 'ir.note': _, ...objects } = example.http.objects;
  const faults = (http: object): string[] =>
    CrmMapping.safeParse({ ...example, http: { ...example.http, ...http } }).error?.issues.map(({ path }) =>
      path.join('.'),
    ) ?? [];
  expect(faults({})).toEqual([]);
  expect(faults({ objects })).toEqual(['http.objects.ir.note']);
  expect(faults({ errors: [{ when: { status: 400 }, scope: 'record', why: 'gone' }] })).toEqual([
    'http.errors.0.when',
  ]);
  expect(faults({ headers: { a: '{{ x' } })).toEqual(['http.headers.a']);
});
