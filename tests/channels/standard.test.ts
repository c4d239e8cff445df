import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { standard as connector } from '../../connectors/channels/standard.ts';
import { reportEvents } from '../../functions/api/routes/events.ts';
import { InteractionMessage } from '../../functions/contracts/messages/record.ts';
import { standard as mapping } from '../../mappings/channels/standard.ts';

const now = Date.parse('2026-03-02T09:00:00Z');
const secret = `whsec_${randomBytes(24).toString('base64')}`;
const body = JSON.stringify({ identifiers: ['email:ada@example.com'], name: 'cart_updated' });

const judge = (headers: Record<string, string>, secrets = [secret], text = body) =>
  connector.verify(
    { method: 'POST', url: 'https://hub.example/webhooks/standard', headers, body: Buffer.from(text) },
    { secrets: { signingSecret: secrets }, now, document: async () => '' },
  );
const signed = (at: number, using = secret) => ({
  'webhook-id': 'msg_1',
  'webhook-timestamp': String(Math.floor(at / 1000)),
  'webhook-signature': new Webhook(using).sign('msg_1', new Date(at), body),
});

describe('Standard Webhooks', () => {
  const other = `whsec_${randomBytes(24).toString('base64')}`;

  it('takes what the published library signed, during a rotation of either side too', () => {
    expect(judge(signed(now))).toMatchObject({ verdict: 'accepted' });
    expect(judge(signed(now, other), [secret, other])).toMatchObject({ verdict: 'accepted' });
    const both = `v1a,x ${signed(now, other)['webhook-signature']} ${signed(now)['webhook-signature']}`;
    expect(judge({ ...signed(now), 'webhook-signature': both })).toMatchObject({ verdict: 'accepted' });
  });

  it.each([
    ['late', signed(now - 301_000), [secret], body],
    ['early', signed(now + 301_000), [secret], body],
    ['another key', signed(now), [other], body],
    ['an empty key', signed(now), ['whsec_'], body],
    ['another id', { ...signed(now), 'webhook-id': 'msg_2' }, [secret], body],
    ['another time', { ...signed(now), 'webhook-timestamp': String(now / 1000 - 1) }, [secret], body],
    ['another body', signed(now), [secret], `${body} `],
    ['another version', { ...signed(now), 'webhook-signature': 'v2,AAAA' }, [secret], body],
  ])('refuses %s', (_, headers, secrets, text) => {
    expect(judge(headers, secrets, text)).toMatchObject({ verdict: 'refused' });
  });
});

const decode = (payload: unknown) =>
  mapping.decode({
    method: 'POST',
    url: '',
    headers: { 'webhook-id': 'msg_1' },
    body: Buffer.from(JSON.stringify(payload)),
    receivedAt: '2026-03-02T09:00:00.000Z',
  } as never);

describe('reports in our own words', () => {
  const person = { identifiers: ['phone:+14155550100'] };

  it('are one, a list, or a list under a name', async () => {
    const one = { ...person, id: 'call-1', kind: 'call', channel: 'voice', text: 'Please call me' };
    for (const payload of [one, [one], { events: [one] }])
      expect(await decode(payload)).toMatchObject({
        interactions: [
          { key: 'call-1', externalId: 'call-1', kind: 'call', channel: 'voice', direction: 'inbound' },
        ],
      });
  });

  it('without an id are known by the delivery and their place', async () => {
    expect(await decode([person, { ...person, name: 'page' }])).toMatchObject({
      interactions: [{ key: 'msg_1:0' }, { key: 'msg_1:1', kind: 'behaviour', properties: { name: 'page' } }],
    });
  });

  it.each([
    {},
    [],
    { identifiers: [] },
    { ...person, kind: 'notification' },
    { ...person, extra: 1 },
    'text',
  ])('refuses %j', async (payload) => {
    await expect((async () => decode(payload))()).rejects.toThrow();
  });

  it('are recorded although another of the batch is refused', async () => {
    const { interactions, unreadable } = await decode([person, { ...person, extra: 1 }, person]);
    expect(interactions.map(({ key }) => key)).toEqual(['msg_1:0', 'msg_1:2']);
    expect(unreadable).toEqual([{ member: '[1]', reason: '[1]: expected no member extra' }]);
  });
});

describe('POST /events', () => {
  const report = async (payload: unknown, lost: readonly number[] = []) => {
    const queued: string[] = [];
    const answer = await reportEvents({ body: JSON.stringify(payload) } as never, {
      now: () => now,
      enqueueAll: async (messages) => {
        queued.push(...messages);
        return new Set(lost);
      },
    });
    return { status: answer.statusCode, queued, ...JSON.parse(answer.body ?? '') };
  };
  const act = { identifiers: ['user-id:42'], name: 'page', properties: { path: '/' } };

  it('takes a thousand, each with its own id or one of what it says', async () => {
    const many = Array.from({ length: 1000 }, (_, at) => ({ ...act, id: `e${at}` }));
    const { status, queued, accepted } = await report(many);
    expect([status, queued.length, accepted]).toEqual([202, 1000, 1000]);
    expect(InteractionMessage.parse(JSON.parse(queued[0] ?? ''))).toMatchObject({
      interaction: { provider: 'api', key: 'e0', properties: { name: 'page', path: '/' } },
    });
    const [one, again] = [await report([act]), await report([act])];
    expect(one.results[0].id).toBe(again.results[0].id);
    expect((await report([{ ...act, name: 'other' }])).results[0].id).not.toBe(one.results[0].id);
  });

  it('judges each by itself', async () => {
    const payload = [act, { name: 'nobody' }, { ...act, text: 'x'.repeat(200_000) }, { ...act, id: 'b' }];
    const { status, results } = await report(payload, [1]);
    expect(status).toBe(207);
    expect(results.map(({ status }: { status: string }) => status)).toEqual([
      'accepted',
      'refused',
      'refused',
      'try-again',
    ]);
  });

  it('says so where nothing was taken', async () => {
    expect((await report([{}])).status).toBe(400);
    expect((await report([act], [0])).status).toBe(503);
    for (const payload of [[], Array(1001).fill(act), 1]) expect((await report(payload)).status).toBe(400);
  });
});
