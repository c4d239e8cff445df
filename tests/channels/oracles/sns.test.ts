import { EventEmitter } from 'node:events';
import https from 'node:https';
import MessageValidator from 'sns-validator';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type GoodCase, goodCases } from '../../support/cases.ts';

const good = goodCases.filter(({ one }) => one.verification?.scheme === 'sns-rsa');

afterEach(() => void vi.restoreAllMocks());

/** The library fetches the certificate itself: it gets the fixture's, and nothing goes out. */
const validate = async ({ one }: GoodCase, body: string): Promise<Error | null> => {
  vi.spyOn(https, 'get').mockImplementation(((_url: string, take: (response: EventEmitter) => void) => {
    const response = Object.assign(new EventEmitter(), { statusCode: 200 });
    queueMicrotask(() => {
      take(response);
      response.emit('data', Buffer.from(String(one.verification?.['certificatePem'])));
      response.emit('end');
    });
    return new EventEmitter();
  }) as unknown as typeof https.get);
  return new Promise((resolve) => new MessageValidator().validate(body, (error) => resolve(error)));
};

describe("AWS's own validator agrees", () => {
  it.each(good.map((one) => [one.name, one] as const))('%s', async (_, fixture) => {
    const body = fixture.one.rawBody ?? '';
    expect(await validate(fixture, body)).toBeNull();
    expect(await validate(fixture, body.replace('"Timestamp":"2026', '"Timestamp":"2027'))).toBeInstanceOf(
      Error,
    );
  });
});
