import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { beforeEach, describe, expect, it } from 'vitest';
import { answerOf } from '../../../core/consent/consent.ts';
import { unsubscribeToken } from '../../../core/consent/signed-link.ts';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { unsubscribe } from '../../../functions/api/pages/unsubscribe.ts';
import { InteractionMessage } from '../../../functions/contracts/messages/record.ts';
import { toInteraction } from '../../../functions/record/messages/decode.ts';
import { openTriggerTable, type TriggerTable } from '../../support/trigger-table.ts';

const keys = ['0123456789abcdef-key'];
const link = unsubscribeToken({ profileId: 'ada', channel: 'email' }, keys);
let hub: TriggerTable;
let queued: unknown[];

beforeEach(async () => {
  hub = await openTriggerTable();
  queued = [];
});

const call = async (method: string, token = link) =>
  unsubscribe({
    history: hub.history,
    enqueue: async (message) => void queued.push(message),
    signingKeys: async () => keys,
    now: hub.runtime.now,
    hub: hub.hub,
  })({
    pathParameters: { token },
    requestContext: { http: { method } },
  } as unknown as APIGatewayProxyEventV2);

describe('one-click unsubscribe', () => {
  it('a GET changes nothing and shows a button', async () => {
    await hub.putPerson();
    const { statusCode, body } = await call('GET');
    expect(statusCode).toBe(200);
    expect(body).toContain('<form method="post">');
    expect(queued).toEqual([]);
  });

  it('a POST is an opt-out of marketing on that channel', async () => {
    await hub.putPerson();
    expect(await call('POST')).toMatchObject({ statusCode: 200 });
    const message = InteractionMessage.parse(queued[0]);
    expect(message.interaction).toMatchObject({ channel: 'email', identifiers: ['email:ada@example.com'] });
    expect(answerOf(toInteraction(message.interaction, message.receivedAt, IdentityConfig.parse({})))).toBe(
      'no-marketing',
    );
  });

  it('of an erased customer succeeds without effect', async () => {
    expect(await call('POST')).toMatchObject({ statusCode: 410 });
    expect(queued).toEqual([]);
  });

  it('a link that the hub did not sign is refused', async () => {
    await hub.putPerson();
    for (const method of ['GET', 'POST']) {
      expect(await call(method, link.replace(/.$/u, '#'))).toMatchObject({ statusCode: 404 });
      expect(await call(method, 'x')).toMatchObject({ statusCode: 404 });
    }
    expect(queued).toEqual([]);
  });
});
