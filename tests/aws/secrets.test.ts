import { describe, expect, it } from 'vitest';
import { secrets } from '../../functions/aws/clients/connector-secrets.ts';
import { readSecret } from '../../functions/aws/clients/secret.ts';
import { type Answer, answering } from '../support/answering-aws.ts';

const secret = (value: unknown) => ({ body: { SecretString: JSON.stringify(value) } });
const absent = { status: 400, body: { __type: 'ResourceNotFoundException', message: 'No.' } };
const FIVE_MINUTES = 300_000;

/** A runtime whose clock stands where `clock.now` says. */
const clocked = (...answers: readonly Answer[]) => {
  const { runtime, asked } = answering(...answers);
  const clock = { now: 0 };
  return {
    asked,
    clock,
    runtime: { ...runtime, env: { ...runtime.env, HUB: 'acme' }, now: () => clock.now },
  };
};

describe('a secret', () => {
  it('is read by its name and cached for five minutes', async () => {
    const { runtime, asked, clock } = clocked(secret({ keys: 'a' }), secret({ keys: 'b' }));
    const read = readSecret(runtime);
    expect(await read('acme/api')).toEqual({ keys: 'a' });
    clock.now = FIVE_MINUTES - 1;
    expect(await read('acme/api')).toEqual({ keys: 'a' });
    clock.now = FIVE_MINUTES;
    expect(await read('acme/api')).toEqual({ keys: 'b' });
    expect(asked[0]).toEqual({ operation: 'GetSecretValue', body: { SecretId: 'acme/api' } });
    expect(asked.length).toBe(2);
  });

  it('is cached for another time where the caller says so', async () => {
    const { runtime, asked, clock } = clocked(secret({}));
    const read = readSecret(runtime, 10);
    await read('a');
    clock.now = 10;
    await read('a');
    expect(asked.length).toBe(2);
  });

  it('without a text is an empty object, and an absent one rejects', async () => {
    expect(await readSecret(clocked({ body: {} }).runtime)('a')).toEqual({});
    await expect(readSecret(clocked(absent).runtime)('a')).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });
});

describe('the secrets of a route', () => {
  it('are named by hub, provider and account, with all their values', async () => {
    const { runtime, asked } = clocked(secret({ authToken: 'one', keys: ['two', 3, 'four'], size: 5 }));
    const read = secrets(runtime);
    expect(await read('twilio', undefined, false)).toEqual({
      ...{ authToken: ['one'], keys: ['two', 'four'], size: [] },
    });
    await read('twilio', 'shop', false);
    expect(asked.map(({ body }) => body['SecretId'])).toEqual([
      ...['acme/channels/twilio', 'acme/channels/twilio/shop'],
    ]);
  });

  it('are cached for five minutes, and read again on request', async () => {
    const { runtime, asked, clock } = clocked(secret({ a: '1' }), secret({ a: '2' }), secret({ a: '3' }));
    const read = secrets(runtime);
    await read('twilio', undefined, false);
    expect(await read('twilio', undefined, false)).toEqual({ a: ['1'] });
    expect(await read('twilio', undefined, true)).toEqual({ a: ['2'] });
    clock.now = FIVE_MINUTES;
    expect(await read('twilio', undefined, false)).toEqual({ a: ['3'] });
    expect(asked.length).toBe(3);
  });

  it('are undefined where none are stored, which is cached, too', async () => {
    const { runtime, asked } = clocked(absent);
    const read = secrets(runtime);
    expect([await read('x', undefined, false), await read('x', undefined, false)]).toEqual([
      ...[undefined, undefined],
    ]);
    expect(asked.length).toBe(1);
  });

  it('without a text are none', async () => {
    expect(await secrets(clocked({ body: {} }).runtime)('x', undefined, false)).toEqual({});
    expect(await secrets(clocked({ body: { SecretString: 7 } }).runtime)('x', undefined, false)).toEqual({});
  });

  it.each([['[]'], ['"text"'], ['null'], ['1']])(
    'that are %s reject with the name of the secret',
    async (text) => {
      const { runtime } = clocked({ body: { SecretString: text } });
      await expect(secrets(runtime)('x', undefined, false)).rejects.toMatchObject({
        ...{ code: 'unreadable-secret', retry: 'later' },
        message: expect.stringContaining('acme/channels/x must be a JSON object'),
      });
    },
  );

  it('that cannot be read reject with the error of the service', async () => {
    const denied = { status: 400, body: { __type: 'AccessDeniedException', message: 'No.' } };
    await expect(secrets(clocked(denied).runtime)('x', undefined, false)).rejects.toMatchObject({
      ...{ code: 'unreadable-secret', retry: 'later' },
      message: expect.stringMatching(/acme\/channels\/x .*AccessDeniedException/u),
      cause: { name: 'AccessDeniedException' },
    });
  });
});
