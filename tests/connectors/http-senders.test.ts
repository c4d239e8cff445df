import { describe, expect, it } from 'vitest';
import { httpSenderOf, senderDeclarations } from '../../connectors/senders/index.ts';
import { decodeWith } from '../support/decode.ts';
import { ending, open, secrets } from '../support/senders/open-sender.ts';
import { answers, reports } from '../support/senders/vendor-answers.ts';

describe.each(Object.entries(answers))('%s', (id, cases) => {
  it.each(cases)('%j: %j', async (answer, expected) => {
    expect(await ending(open(id, answer).send())).toEqual(expected);
  });
});

it.each(Object.entries(reports))(
  'the id of a message of %s is the one that its reports name',
  async (id, report) => {
    const [[answer = [500] as const] = []] = answers[id] ?? [];
    const sent = await open(id, answer).send();
    const { interactions } = await decodeWith(httpSenderOf(id)?.provider ?? '', report);
    expect(interactions.map(({ refersTo }) => refersTo)).toEqual([sent]);
  },
);

const overHttp = Object.keys(secrets);

describe.each(overHttp)('%s', (id) => {
  it('nobody knows whether it was sent after a lost connection or an answer that is not its own', async () => {
    expect(await ending(open(id, new TypeError('fetch failed')).send())).toBe('in doubt');
    expect(await ending(open(id, [502, '<html>Bad gateway</html>']).send())).toBe('in doubt');
    if (id !== 'sendgrid')
      expect(await ending(open(id, [200, {}]).send())).toBe(id === 'line' ? 'hello.cause' : 'in doubt');
  });

  it('waits where the connection was never made, since then nothing was sent', async () => {
    const refused = new TypeError('fetch failed', {
      cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }),
    });
    expect(await ending(open(id, refused).send())).toBe('down');
  });

  it('names each field that is missing, and sends no value that a header cannot carry', async () => {
    const { send, requests } = open(id, [200, {}], {});
    const required = Object.entries(httpSenderOf(id)?.secrets ?? {}).filter(([, { optional }]) => !optional);
    await expect(send()).rejects.toThrow(
      new RegExp(required.map(([field]) => `${field} \\(`).join('.*'), 'u'),
    );
    await expect(send()).rejects.toThrow(`hub connect ${id} --sender`);
    const broken = Object.fromEntries(Object.keys(secrets[id] ?? {}).map((field) => [field, 'a\nb']));
    const sending = open(id, [200, {}], broken).send();
    await expect(sending).rejects.toMatchObject({
      retry: 'never',
      message: expect.not.stringContaining('a\nb'),
    });
    expect(requests).toEqual([]);
  });

  it('no error shows a secret', async () => {
    const values = Object.values(secrets[id] ?? {}).filter((value) => /[a-z]/iu.test(value));
    for (const answer of [
      [500, 'x'],
      [400, {}],
      [401, {}],
      [429, {}],
    ] as const)
      await open(id, answer)
        .send()
        .catch((error: unknown) => {
          for (const value of values.filter((one) => one.length > 2))
            expect(String(error)).not.toContain(value);
        });
  });
});

it('every declaration says which channels it serves, where its page is, and what each field is', () => {
  expect(senderDeclarations.map(({ id }) => id)).toEqual([
    ...['aws-sms', 'instagram', 'line', 'messenger', 'sendgrid', 'ses', 'slack', 'sns-push'],
    ...['telegram', 'twilio', 'whatsapp-cloud'],
  ]);
  for (const { channels, docs } of senderDeclarations) {
    expect(channels.length).toBeGreaterThan(0);
    expect(docs).toMatch(/^https:\/\//u);
  }
  expect(overHttp.filter((id) => httpSenderOf(id) === undefined)).toEqual([]);
});
