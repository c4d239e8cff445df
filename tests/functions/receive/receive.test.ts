import { describe, expect, it } from 'vitest';
import { connectorOf } from '../../../connectors/registry.ts';
import { isSameText } from '../../../core/webhooks/signature.ts';
import type { DeliveryMessage } from '../../../functions/contracts/messages/record.ts';
import type { RouteSecrets } from '../../../functions/contracts/ports/secrets.ts';
import { receive } from '../../../functions/receive/receive.ts';
import { goodCases, sendCase } from '../../support/cases.ts';

const source = '203.0.113.7';
const activity = { delivered: async () => {}, refused: async () => {} };

describe('receive', () => {
  it.each(goodCases.map((one) => [one.name, one] as const))(
    'queues no signature and no token with %s',
    async (_, fixture) => {
      const { queued } = await sendCase(fixture, {});
      for (const { request } of queued)
        expect(Object.keys(request.headers).join(' ')).not.toMatch(
          /signature|secret|token|authorization|cookie/u,
        );
    },
  );

  it.each([
    ['no secret at all', undefined],
    ['an empty one', { channelSecret: [''] }],
  ])('names the missing secret: %s', async (_, stored: RouteSecrets | undefined) => {
    const told: unknown[] = [];
    const queued: DeliveryMessage[] = [];
    const use = receive({
      connector: (id) => connectorOf(id),
      secrets: async () => stored,
      document: async () => '',
      useNonce: async () => true,
      enqueue: async (delivery) => {
        queued.push(delivery);
      },
      activity,
      now: () => 0,
      log: (_code, fields) => {
        told.push(fields['reason']);
      },
    });
    const request = {
      method: 'POST',
      url: 'https://acme.example/webhooks/line',
      headers: {},
      body: new Uint8Array(),
    };
    const { status } = await use({ provider: 'line', account: undefined, request, source });
    expect([status, queued]).toEqual([401, []]);
    expect(told.join()).toMatch(/channelSecret is not stored/u);
  });

  it('fetches a secret again after a failed verification, at most every 30 seconds per route', async () => {
    let [now, refreshes] = [0, 0];
    const use = receive({
      connector: (id) => connectorOf(id),
      secrets: async (_provider, _account, refresh) => {
        if (refresh) refreshes++;
        return { channelSecret: ['s'] };
      },
      document: async () => '',
      useNonce: async () => true,
      enqueue: async () => {},
      activity,
      now: () => now,
      log: () => {},
    });
    const body = new Uint8Array();
    const request = { method: 'POST', url: 'https://acme.example/webhooks/line', headers: {}, body };
    for (const at of [0, 1000, 29_999, 30_000, 30_001]) {
      now = at;
      expect((await use({ provider: 'line', account: undefined, request, source })).status).toBe(401);
    }
    expect(refreshes).toBe(2);
  });

  it('judges a request again only if the secret has changed, and queues no key of its address', async () => {
    const [judged, queued]: [unknown[], DeliveryMessage[]] = [[], []];
    let stored: RouteSecrets = { addressKey: ['old'] };
    const salesforce = connectorOf('salesforce');
    const use = receive({
      connector: () => ({
        ...salesforce,
        verify(request, context) {
          judged.push(context.secrets);
          return salesforce.verify(request, context);
        },
      }),
      secrets: async () => stored,
      document: async () => '',
      useNonce: async () => true,
      enqueue: async (delivery) => void queued.push(delivery),
      activity,
      now: () => 0,
      log: () => {},
    });
    const request = {
      method: 'POST',
      url: 'https://acme.example/webhooks/salesforce?a=1&key=new&b=2',
      headers: {},
      body: Buffer.from('<Envelope><OrganizationId>00D000000000001</OrganizationId></Envelope>'),
    };
    expect((await use({ provider: 'salesforce', account: undefined, request, source })).status).toBe(401);
    expect(judged).toHaveLength(1);
    stored = { addressKey: ['new', 'old'] };
    expect((await use({ provider: 'salesforce', account: undefined, request, source })).status).toBe(200);
    expect(queued.map((one) => one.request.url)).toEqual([
      'https://acme.example/webhooks/salesforce?a=1&b=2',
    ]);
  });

  it.each(['', 'abc', 'abcd', 'abcdef'])('refuses a part of a signature: %j', (given) => {
    expect(isSameText(given, 'abcde')).toBe(false);
    expect(isSameText('abcde', 'abcde')).toBe(true);
  });
});
