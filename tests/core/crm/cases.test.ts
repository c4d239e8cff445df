import { describe, expect, it } from 'vitest';
import { salesforce } from '../../../connectors/crm/salesforce/index.ts';
import { servicenow } from '../../../connectors/crm/servicenow/index.ts';
import {
  boundCases,
  type CaseState,
  caseAt,
  isInCases,
  messageDigest,
  type Talk,
  writtenMessages,
} from '../../../core/crm/cases.ts';
import { checkMapping, describedObjects } from '../../../core/crm/check/check.ts';
import type { CrmConnector, FieldDescription } from '../../../core/crm/connector.ts';
import { CrmMapping, compileMapping } from '../../../core/crm/mapping/mapping.ts';

const HOUR_MS = 3_600_000;
const at = (hour: number): string => new Date(Date.UTC(2026, 2, 2, hour)).toISOString();
const caseOf = (more: Partial<CaseState> = {}): CaseState => ({
  ...{ conversation: 'i1', object: 'Case', record: '500', openedAt: at(9), lastAt: at(10), messages: [] },
  ...more,
});
const talk = (more: Partial<NonNullable<Talk['conversation']>> = {}): Talk => ({
  conversation: { threads: [], open: [], ...more },
  ...{ silence: 3 * HOUR_MS, now: Date.parse(at(12)) },
});

describe('the case to which something belongs', () => {
  it.each<[string, number, Talk, Partial<CaseState>, boolean]>([
    ['within the silence', 13, talk(), {}, true],
    ['after the silence', 14, talk(), {}, false],
    ['after the silence, for who waits for an answer', 40, talk({ open: [at(9)] }), {}, true],
    ['who waits for something later', 40, talk({ open: [at(39)] }), {}, false],
    ['before it was closed', 10, talk(), { closedAt: at(11) }, true],
    ['after it was closed there', 12, talk(), { closedAt: at(11) }, false],
    ['after it was closed here', 12, talk({ closedAt: at(11) }), {}, false],
    ['an earlier message that arrives later', 7, talk(), {}, true],
    ['an earlier message of a conversation that ended', 7, talk({ closedAt: at(8) }), {}, false],
    ['a much earlier message', 5, talk(), {}, false],
  ])('%s', (_, hour, when, more, isFound) => {
    expect(caseAt([caseOf(more)], at(hour), when) !== undefined).toBe(isFound);
  });
});

it('what is too old to be remembered is not written again', () => {
  const messages = Array.from({ length: 250 }, (_, hour) => ({
    ...{ id: `m${hour}`, at: at(hour), digest: 'd', record: `r${hour}` },
  }));
  const cases = boundCases(
    Array.from({ length: 10 }, (_, day) =>
      caseOf({ conversation: `c${day}`, openedAt: at(24 * day), messages }),
    ),
  );
  expect(cases.map(({ conversation }) => conversation)).toEqual([
    'c2',
    'c3',
    'c4',
    'c5',
    'c6',
    'c7',
    'c8',
    'c9',
  ]);
  expect(cases[0]?.messages[0]?.id).toBe('m50');
  expect(isInCases(cases, { id: 'm3', at: at(3) })).toBe(true);
  expect(isInCases(cases, { id: 'c0', at: at(0) })).toBe(true);
  expect(isInCases(cases, { id: 'new', at: at(249) })).toBe(false);
  expect(Buffer.byteLength(JSON.stringify(cases))).toBeLessThan(350_000);
});

describe('messages in doubt', () => {
  const digest = messageDigest({ Body: 'Hello?' });
  const doubt = [{ id: 'm2', digest }];
  const known = [{ id: 'm1', at: at(9), digest, record: 'r1' }];
  it.each<[string, CaseState['messages'], string[], string[]]>([
    ['none is there', [], [], []],
    ['it is there', [], ['r2'], ['m2']],
    ['only the equal one is there that is known', known, ['r1'], []],
    ['both are there', known, ['r1', 'r2'], ['m2']],
    ['the known one was deleted, and it is there', known, ['r2'], ['m2']],
    [
      'one journal entry is the known one',
      [{ ...known[0], record: '500' } as (typeof known)[0]],
      ['500'],
      [],
    ],
    ['two journal entries', [{ ...known[0], record: '500' } as (typeof known)[0]], ['500', '500'], ['m2']],
  ])('%s', (_, messages, ids, written) => {
    const held = ids.map((id) => ({ id, digest: messageDigest({ Body: ' Hello? \r\n' }) }));
    expect([...writtenMessages(caseOf({ messages }), doubt, held).keys()]).toEqual(written);
  });
});

const text: FieldDescription = { type: 'text', required: false, writable: true, isKey: false };
const contact = { object: 'Contact', key: 'Key', fields: {} };
const rule = {
  ...{ when: { kind: ['message'] }, object: 'Case', key: 'Key', fields: { Subject: { from: 'text' } } },
  links: { ContactId: 'contact' },
  messages: { object: 'CaseComment', parent: 'ParentId', fields: { CommentBody: { from: 'text' } } },
  closed: { field: 'Status', values: ['Closed', 'Done'] },
};
const objects = {
  Contact: { Key: { ...text, isKey: true } },
  Case: {
    ...{ Key: { ...text, isKey: true }, Subject: text, ContactId: { ...text, type: 'reference' as const } },
    Status: { ...text, type: 'choice' as const, choices: ['New', 'Closed'] },
  },
  CaseComment: { ParentId: { ...text, type: 'reference' as const, required: true }, CommentBody: text },
};
const check = (
  cases: object,
  described: Readonly<Record<string, Readonly<Record<string, FieldDescription>>>> = objects,
  connector: CrmConnector = salesforce,
) => {
  const mapping = CrmMapping.parse({ contact, cases: [cases] });
  const shown = describedObjects(mapping).flatMap((name) =>
    Object.hasOwn(described, name) ? [[name, new Map(Object.entries(described[name] ?? {}))] as const] : [],
  );
  return checkMapping(connector, mapping, new Map(shown)).map(
    ({ path, says }) => `${path.join('.')}: ${says}`,
  );
};

describe('the check of cases', () => {
  it('finds nothing where everything is there', () => expect(check(rule)).toEqual([]));
  it.each<[string, object, string]>([
    [
      'a field of the case',
      { ...rule, fields: { Title: { from: 'text' } } },
      'cases.0.fields.Title: Case.Title',
    ],
    ['the key', { ...rule, key: 'Id2' }, 'cases.0.key: Case.Id2'],
    ['the link', { ...rule, links: { Who: 'contact' } }, 'cases.0.links.Who: Salesforce has no link'],
    [
      'a field of a message',
      { ...rule, messages: { ...rule.messages, fields: { Body: { from: 'text' } } } },
      'cases.0.messages.fields.Body: CaseComment.Body',
    ],
    [
      'what leads to the case',
      { ...rule, messages: { ...rule.messages, parent: 'CaseId' } },
      'cases.0.messages.links.CaseId: Salesforce has no link',
    ],
    [
      'the value that closes',
      { ...rule, closed: { field: 'Status', values: ['Done'] } },
      'cases.0.closed.fields.Status: Case.Status takes only New, Closed',
    ],
    [
      'the object of messages',
      { ...rule, messages: { ...rule.messages, object: 'Comment' } },
      'cases.0.messages.object: Salesforce has no object Comment',
    ],
  ])('names %s', (_, cases, found) => {
    expect(check(cases)).toContainEqual(expect.stringContaining(found));
  });
  it('takes a journal of ServiceNow for messages, which need no required field of a new record', () => {
    const table = { ...objects.Case, Subject: { ...text, required: true }, notes: text, sys_id: text };
    const messages = { object: 'Case', parent: 'sys_id', fields: { notes: { from: 'text' } } };
    const own = { ...rule, fields: { Subject: { template: 'x{{ text }}' } }, messages };
    expect(check(own, { ...objects, Case: table }, servicenow)).toEqual([]);
    expect(
      check({ ...own, messages: { ...messages, parent: 'other' } }, { ...objects, Case: table }, servicenow),
    ).toEqual([expect.stringContaining('cases.0.messages.links.other')]);
  });
});

it.each<[string, object, RegExp]>([
  ['a path that leads nowhere', { ...rule, fields: { Subject: { from: 'txt' } } }, /did you mean text/u],
  ['a path of a contact', { ...rule, fields: { Subject: { from: 'name.first' } } }, /cases\[0\]\.fields/u],
  ['no value that closes', { ...rule, closed: { field: 'Status', values: [] } }, /values/u],
  ['a key for messages', { ...rule, messages: { ...rule.messages, key: 'Key' } }, /key/u],
  ['another link', { ...rule, links: { ContactId: 'case' } }, /links/u],
])('the file is refused with %s', (_, cases, says) => {
  const file = { contact, cases: [cases] };
  // A file is read strictly; what a later release has stored is not.
  expect(() => [compileMapping('salesforce', file), CrmMapping.parse(file)]).toThrow(says);
});

it('a CRM by http needs to say how messages are made and found', () => {
  const objectOf = (more: object) => ({
    ...{ read: { request: 'GET /x/{{ id }}', records: 'body' }, upsert: { request: 'PUT /x' }, ...more },
  });
  const http = (comments: object) => ({
    host: 'https://crm.example.com',
    objects: { Contact: objectOf({}), Case: objectOf({}), CaseComment: comments },
  });
  const mapping = (comments: object) => ({
    contact: { ...contact, match: [] },
    cases: [rule],
    http: http(comments),
  });
  const find = { field: { request: 'GET /comments', records: 'body' } };
  expect(() => compileMapping('till', mapping(objectOf({})))).toThrow(/expected create, and find\.field/u);
  expect(() =>
    compileMapping('till', mapping({ find, create: { request: 'POST /comments' } })),
  ).not.toThrow();
});
