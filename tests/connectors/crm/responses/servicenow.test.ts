import { afterEach, beforeEach, expect, it } from 'vitest';
import * as z from 'zod';
import { servicenow } from '../../../../connectors/crm/servicenow/index.ts';
import { type Call, type CrmRecord, type CrmSession, unsharedToken } from '../../../../core/crm/connector.ts';
import { type Said, type Sent, scriptedServicenow } from '../scripted-servicenow.ts';
import { casesOf, type Fault, outcomesOf } from './kept.ts';

const ID = 'b'.repeat(32);
const call: Call = { signal: AbortSignal.timeout(20_000), spend: async () => {}, sleep: async () => {} };

let instance: Awaited<ReturnType<typeof scriptedServicenow>>;
let session: CrmSession;
beforeEach(async () => {
  instance = await scriptedServicenow();
  const secret = { instanceUrl: instance.url, clientId: 'id', clientSecret: 'secret' };
  session = await servicenow.open(secret, unsharedToken, call.signal);
});
afterEach(() => instance.stop());

const contacts = (...records: readonly CrmRecord[]) =>
  session.upsert('customer_contact', 'u_hub_id', records, call);
const fresh = (key: string): CrmRecord => ({ key, fields: { last_name: key } });

/** What the hub asks, so that an instance answers so. */
const questions = {
  'new contact': () => contacts(fresh('a')),
  'three new contacts': () => contacts(fresh('a'), fresh('b'), fresh('c')),
  'linked contact': () => contacts({ ...fresh('a'), id: ID }),
  'new interaction': () => session.upsert('interaction', 'u_hub_id', [{ key: 'i', fields: {} }], call),
  'look-up': async () => [
    ...(await session.find('customer_contact', { field: 'last_name' }, ['a'], [], call)).values(),
  ],
} as const;

interface Expected {
  readonly asked: keyof typeof questions;
  /** The answer is to the whole request, to the batch of writes, or, by default, to one request of a batch. */
  readonly of?: 'request' | 'batch';
  readonly is: readonly object[];
}
const refused = (is: Fault, asked: keyof typeof questions = 'new contact', of?: 'request'): Expected => ({
  ...{ asked, is: [is] },
  ...(of && { of }),
});

const expected: Readonly<Record<string, Expected>> = {
  'invalid-table-400': refused({ scope: 'object', why: 'setup' }),
  'not-authenticated-401': refused({ scope: 'connection', why: 'setup' }, 'new contact', 'request'),
  'acl-null-detail-403': refused({ scope: 'object', why: 'setup' }),
  'record-not-found-404': refused({ scope: 'record', why: 'gone' }, 'linked contact'),
  'rate-limit-429': refused(
    { scope: 'connection', why: 'throttled', afterSeconds: 2400 },
    'new contact',
    'request',
  ),
  'transaction-cancelled-500': refused({ scope: 'record', why: 'raced' }),
  // Nobody holds a unique value of it, so something else has refused it.
  'unique-key-violation-403': refused({ scope: 'record', why: 'invalid' }, 'new interaction'),
  // It lists records without their ids, so nobody was found.
  'batch-200': { asked: 'look-up', of: 'batch', is: [] },
  'batch-partly-unserviced-200': {
    ...{ asked: 'three new contacts', of: 'batch' },
    is: [{ id: 'a'.repeat(32) }, { id: ID }, { id: ID }],
  },
  'hibernating-200-html': refused({ scope: 'connection', why: 'down' }, 'new contact', 'request'),
};

const Batch = z.looseObject({
  serviced_requests: z.array(z.looseObject({ id: z.string(), body: z.string() })),
  unserviced_requests: z.array(z.string()),
});
const Sending = z.object({
  rest_requests: z.array(z.object({ id: z.string(), body: z.string().optional() })),
});
const decoded = (body: string | undefined): object =>
  Object(JSON.parse(Buffer.from(body || 'e30=', 'base64').toString()));

/** A kept batch as the answer to one that was sent: with its ids, which begin elsewhere, and the fields of its records. */
const asAnswer = (kept: unknown, sent: unknown): object => {
  const batch = Batch.parse(kept);
  const { rest_requests: requests } = Sending.parse(sent);
  const answered = batch.serviced_requests.map((one) => {
    const request = requests[Number(one.id) - 1];
    const { result, ...rest } = Object(decoded(one.body));
    const whole = Array.isArray(result) ? result : { ...decoded(request?.body), ...result };
    const body = Buffer.from(JSON.stringify({ ...rest, result: whole })).toString('base64');
    return { ...one, id: request?.id, body };
  });
  const unserviced = batch.unserviced_requests.map((id) => requests[Number(id) - 1]?.id);
  return { ...batch, serviced_requests: answered, unserviced_requests: unserviced };
};

const echoed = ({ body }: Sent): Said => ({ status: 201, body: { result: { ...Object(body), sys_id: ID } } });

it.each(casesOf('servicenow', expected, ['import-set-201', 'import-set-row-error-201']))(
  '$name',
  async ({ expected: { asked, of = 'item', is }, response }) => {
    const { status, headers, body, text } = response;
    const said: Said = { status, ...(headers && { headers }), ...(text === undefined ? { body } : { text }) };
    let isFirst = true;
    instance.script.item = (sent) =>
      sent.method === 'GET' ? { body: { result: [] } } : of === 'item' ? said : echoed(sent);
    instance.script.whole = (sent) => {
      if (of === 'item') return undefined;
      if (of === 'request') return said;
      const isLookUp = !JSON.stringify(sent.body).includes('"POST"');
      if (!isFirst || (isLookUp && asked !== 'look-up') || !sent.path.endsWith('/batch')) return undefined;
      isFirst = false;
      return { body: asAnswer(body, sent.body) };
    };
    expect(await outcomesOf(questions[asked]())).toEqual(is);
  },
);
