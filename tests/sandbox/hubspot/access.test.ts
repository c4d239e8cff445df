import { describe, expect, it } from 'vitest';
import type { HubspotSandbox } from '../../../infra/sandbox/hubspot/sandbox.ts';
import { clientOf, OBJECTS, open, send } from './open.ts';

describe('access', () => {
  const login = (sandbox: HubspotSandbox, refreshToken = sandbox.oauth.refreshToken) =>
    clientOf(sandbox).oauth.tokensApi.create(
      'refresh_token',
      undefined,
      undefined,
      sandbox.oauth.clientId,
      sandbox.oauth.clientSecret,
      refreshToken,
    );

  it('by OAuth ends after 30 minutes, and the refresh token stays', async () => {
    const { sandbox, clock } = await open();
    const token = await login(sandbox);
    expect(token).toMatchObject({ expiresIn: 1_800, refreshToken: sandbox.oauth.refreshToken });
    const read = () => send(sandbox, 'GET', `${OBJECTS}/contacts`, undefined, token.accessToken);
    expect((await read()).status).toBe(200);
    clock.now += 1_800_000;
    expect(await read()).toMatchObject({ status: 401, body: { category: 'EXPIRED_AUTHENTICATION' } });
    const again = await login(sandbox);
    sandbox.fault({ kind: 'expired-session' });
    expect((await send(sandbox, 'GET', `${OBJECTS}/contacts`, undefined, again.accessToken)).status).toBe(
      401,
    );
    await expect(login(sandbox, 'nonsense')).rejects.toMatchObject({ code: 400 });
    expect(sandbox.requests()).toBe(3);
  });

  it('needs a token that is known', async () => {
    const { sandbox } = await open();
    expect(await send(sandbox, 'GET', `${OBJECTS}/contacts`, undefined, 'pat-na1-wrong')).toMatchObject({
      status: 401,
      body: { category: 'INVALID_AUTHENTICATION' },
    });
  });

  it('needs the scope', async () => {
    const { sandbox } = await open({ scopes: ['crm.objects.contacts.read'] });
    expect((await send(sandbox, 'GET', `${OBJECTS}/contacts`)).status).toBe(200);
    expect(await send(sandbox, 'POST', `${OBJECTS}/contacts`, { properties: {} })).toMatchObject({
      status: 403,
      body: {
        category: 'MISSING_SCOPES',
        context: { requiredGranularScopes: ['crm.objects.contacts.write'] },
      },
    });
  });

  it('is limited', async () => {
    const { sandbox, clock } = await open({ limits: { tenSeconds: 2, searchPerSecond: 1, daily: 5 } });
    const read = () => send(sandbox, 'GET', `${OBJECTS}/contacts`);
    const search = () => send(sandbox, 'POST', `${OBJECTS}/contacts/search`, {});
    expect((await read()).headers.get('X-HubSpot-RateLimit-Remaining')).toBe('1');
    await read();
    expect(await read()).toMatchObject({ status: 429, body: { policyName: 'TEN_SECONDLY_ROLLING' } });
    expect((await search()).headers.get('X-HubSpot-RateLimit-Max')).toBeNull();
    expect(await search()).toMatchObject({ status: 429, body: { policyName: 'SECONDLY' } });
    clock.now += 10_000;
    await read();
    expect((await read()).headers.get('X-HubSpot-RateLimit-Daily-Remaining')).toBe('0');
    expect(await search()).toMatchObject({ status: 429, body: { policyName: 'DAILY' } });
    clock.now += 86_400_000;
    expect((await read()).status).toBe(200);
  });
});
