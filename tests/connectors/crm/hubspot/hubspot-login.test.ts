import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SharedToken } from '../../../../core/crm/connector.ts';
import { accepting, caught, record, type ScriptedHubspot, scriptedHubspot } from './scripted-hubspot.ts';

describe('HubSpot, with credentials', () => {
  let hub: ScriptedHubspot;

  beforeEach(async () => {
    hub = await scriptedHubspot();
  });
  afterEach(async () => {
    await hub.stop();
    expect(hub.invalid).toEqual([]);
  });

  const app = { clientId: 'id', clientSecret: 'secret', refreshToken: 'refresh' };
  /** HubSpot gives token after token, and accepts the last one only. */
  const renewing = () => {
    let issued = 0;
    hub.script = (one) => {
      if (one.path === '/oauth/2026-09/token') {
        issued += 1;
        return { body: { access_token: `t${issued}`, refresh_token: 'refresh', expires_in: 1800 } };
      }
      return one.token === `Bearer t${issued}`
        ? accepting(one)
        : {
            status: 401,
            body: { status: 'error', category: 'EXPIRED_AUTHENTICATION', message: 'expired' },
          };
    };
    return {
      expire: () => (issued += 1),
      refreshes: () => hub.asked.filter(({ path }) => path === '/oauth/2026-09/token'),
    };
  };
  /** As the hub's: one worker renews, the others get what it got. */
  const shared = (kept?: string): SharedToken => {
    let token = kept;
    let turn: Promise<unknown> = Promise.resolve();
    return {
      get: (stale, renew) => {
        const mine = turn.then(async () => {
          if (token === undefined || token === stale) token = await renew();
          return token;
        });
        turn = mine.catch(() => undefined);
        return mine;
      },
    };
  };

  it.each<[object, string]>([
    [{}, 'accessToken'],
    [{ accessToken: ' ' }, 'accessToken'],
    [{ accessToken: 7 }, 'accessToken'],
    [{ clientId: 'a', clientSecret: '', refreshToken: 'c' }, 'clientSecret'],
    [{ clientId: 'a' }, 'refreshToken'],
    [{ accessToken: 'a', baseUrl: 'nowhere' }, 'baseUrl'],
  ])('refuses %j', async (credentials, key) => {
    expect(await caught(hub.open(credentials))).toMatchObject({
      ...{ scope: 'connection', why: 'setup', message: expect.stringContaining(`\`${key}\``) },
    });
    expect(hub.asked).toEqual([]);
  });

  it('renews a token once for fifty workers', async () => {
    const { refreshes, expire } = renewing();
    const token = shared();
    const workers = await Promise.all(Array.from({ length: 50 }, () => hub.open(app, token)));
    expect(refreshes()).toHaveLength(1);
    expire();
    const results = await Promise.all(
      workers.map((one) => one.upsert('contacts', 'hub_id', [record('a')], hub.call)),
    );
    expect(results.every(([result]) => result !== undefined && 'id' in result)).toBe(true);
    expect(refreshes()).toHaveLength(2);
    expect(refreshes()[0]?.body).toEqual({
      ...{
        grant_type: 'refresh_token',
        client_id: 'id',
        client_secret: 'secret',
        refresh_token: 'refresh',
      },
    });
  });

  it('renews once for the requests of one session, and gives up when the new token is refused too', async () => {
    const { refreshes, expire } = renewing();
    const one = await hub.open(app);
    expire();
    await Promise.all(['1', '2', '3'].map((id) => one.upsert('contacts', 'hub_id', [record(id)], hub.call)));
    expect(refreshes()).toHaveLength(2);
    hub.script = (asked) =>
      asked.path === '/oauth/2026-09/token'
        ? { body: { access_token: 'never' } }
        : {
            status: 401,
            body: { status: 'error', category: 'EXPIRED_AUTHENTICATION', message: 'expired' },
          };
    expect(await caught(one.read('contacts', ['1'], [], hub.call))).toMatchObject({
      scope: 'connection',
      why: 'setup',
    });
    expect(refreshes()).toHaveLength(3);
  });

  it.each<[string, object, string]>([
    [
      'oauth-bad-refresh-token-400',
      { status: 'BAD_REFRESH_TOKEN', message: 'missing or unknown refresh token' },
      'refreshToken',
    ],
    [
      'a wrong secret',
      { status: 'BAD_CLIENT_SECRET', message: 'missing or unknown client secret' },
      'clientSecret',
    ],
    ['a wrong app', { status: 'BAD_CLIENT_ID', message: 'missing or unknown client id' }, 'clientId'],
  ])('%s', async (_, body, key) => {
    hub.script = () => ({ status: 400, body });
    expect(await caught(hub.open(app))).toMatchObject({
      ...{
        scope: 'connection',
        why: 'setup',
        retry: 'never',
        message: expect.stringContaining(`\`${key}\``),
      },
    });
  });

  it('a login that HubSpot does not answer is down, and a limit is one', async () => {
    hub.script = () => ({ status: 502, text: '<html>bad gateway</html>' });
    expect(await caught(hub.open(app))).toMatchObject({ scope: 'connection', why: 'down' });
    hub.script = () => ({ status: 200, text: '<html>Sign in</html>' });
    expect(await caught(hub.open(app))).toMatchObject({ scope: 'connection', why: 'down' });
    hub.script = () => ({ status: 429, body: { status: 'error', policyName: 'SECONDLY' } });
    expect(await caught(hub.open(app))).toMatchObject({ scope: 'connection', why: 'throttled' });
  });

  it('asks what the token of an app that uses OAuth may do', async () => {
    hub.script = ({ path }) =>
      path.endsWith('/introspect')
        ? {
            body: {
              active: true,
              scopes: [
                'crm.objects.contacts.read',
                'crm.objects.contacts.write',
                'crm.schemas.contacts.read',
              ],
            },
          }
        : path.endsWith('/token')
          ? { body: { access_token: 't' } }
          : { body: { portalId: 1 } };
    const findings = await (await hub.open(app)).examine(hub.call);
    expect(findings.every(({ ok }) => ok)).toBe(true);
    expect(findings.map(({ about }) => about)).toEqual(['version', 'account', 'scopes']);
  });
});
