import { expect, it } from 'vitest';
import { compareOutcome, type Outcome } from '../../infra/scenario/compare.ts';
import { Expectation } from '../../infra/scenario/schema.ts';

const outcome: Outcome = {
  customers: [
    {
      identifiers: ['line:U1'],
      claimed: [],
      profile: {},
      timeline: 1,
      consent: {},
      preferences: {},
      mergedFrom: [],
    },
    {
      identifiers: ['line:U2'],
      claimed: [],
      profile: {},
      timeline: 2,
      consent: {},
      preferences: {},
      mergedFrom: [],
    },
  ],
  notifications: [{ trigger: 'welcome', channel: 'sms' }],
  suppressed: [],
  crm: { salesforce: { Contact: [{}, {}] } },
  review: 0,
  failures: [],
  connections: {},
};
const differences = (expected: object): string[] => compareOutcome(Expectation.parse(expected), outcome);

it('compares only what is expected, and lists completely', () => {
  expect(differences({ customers: [{ timeline: 2 }, {}], crm: { salesforce: { Contact: 2 } } })).toEqual([]);
});

it.each([
  [{ review: 1 }, 'expect.review: expected 1, found 0'],
  [{ crm: { hubspot: { notes: 3 } } }, 'expect.crm.hubspot.notes: expected 3, found 0'],
  [
    { notifications: [] },
    'expect.notifications: expected nothing, found {"trigger":"welcome","channel":"sms"}',
  ],
  [
    { suppressed: [{ reason: 'paused' }] },
    'expect.suppressed.0: expected {"reason":"paused"}, found nothing',
  ],
  [
    { notifications: [{ trigger: 'welcome', channel: 'email' }] },
    'expect.notifications.0: expected {"trigger":"welcome","channel":"email"}, found {"trigger":"welcome","channel":"sms"}',
  ],
  [
    { customers: [{ timeline: 2 }, { timeline: 3 }] },
    'expect.customers.1: expected {"timeline":3}, found {"identifiers":["line:U1"],"claimed":[],"profile":{},"timeline":1,"consent":{},"preferences":{},"mergedFrom":[]}',
  ],
])('names the key, the expected and the actual value: %j', (expected, line) => {
  expect(differences(expected)).toEqual([line]);
});
