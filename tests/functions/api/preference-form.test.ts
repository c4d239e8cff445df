import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { expect, it } from 'vitest';
import { HubConfig } from '../../../core/config/hub-config.ts';
import { signLink } from '../../../core/consent/signed-link.ts';
import type { PagePorts } from '../../../functions/api/pages/link.ts';
import { preferences } from '../../../functions/api/pages/preferences.ts';
import { person } from '../../support/triggers/situations.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const keys = ['0123456789abcdef-key'];
const ada = 'email:ada@example.com';

/** Sends a form by the link of Ada's address, and what the page queues. */
const press = async (body: string, isBase64Encoded = false) => {
  const queued: unknown[] = [];
  const customer = person();
  const profile = customer.sourceProfiles[0]?.profile;
  if (profile === undefined) throw new Error('The person has no profile.');
  const ports: PagePorts = {
    addressees: { of: async () => ({ owner: { customer, profile } }) },
    hub: async () => HubConfig.parse({}),
    enqueue: async (message) => void queued.push(message),
    signingKeys: async () => keys,
    now: () => NOW,
  };
  const token = signLink('preferences', { address: ada, channel: 'email', issuedAt: NOW / 1000 }, keys);
  const event = {
    body,
    isBase64Encoded,
    headers: {},
    pathParameters: { token },
    requestContext: { http: { method: 'POST' } },
  };
  const { statusCode } = await preferences(ports)(event as unknown as APIGatewayProxyEventV2);
  return { statusCode, queued };
};

it('a form of the page is taken, in base64 too', async () => {
  expect(await press('email=nothing')).toMatchObject({
    statusCode: 200,
    queued: [{ interaction: { kind: 'opt-out', provider: 'tributary' } }],
  });
  const encoded = Buffer.from('email=nothing').toString('base64');
  expect((await press(encoded, true)).queued).toHaveLength(1);
});

it('a form longer than the page makes one is refused, however often it says what is allowed', async () => {
  const form = (times: number): string => Array(times).fill('email=nothing').join('&');
  expect(form(292).length).toBeLessThanOrEqual(4096);
  expect((await press(form(292))).queued).toHaveLength(1);
  expect(await press(form(293))).toEqual({ statusCode: 400, queued: [] });
});

it.each(['email=all', 'mail=nothing', 'email=', 'preferred=fax', 'email=nothing&x=1'])(
  'a form that the page has not made is refused, and queues nothing: %s',
  async (form) => {
    expect(await press(form)).toEqual({ statusCode: 400, queued: [] });
  },
);
