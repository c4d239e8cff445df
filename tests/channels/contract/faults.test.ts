import { createHmac, randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { parsePayload } from '../../../core/formats/payload.ts';
import { acceptFresh, epochSeconds, missingHeader } from '../../../core/webhooks/authentication.ts';
import {
  accepted,
  type ChannelConnector,
  type ChannelMapping,
  channel,
  refused,
} from '../../../core/webhooks/channel.ts';
import { hmac, isOneOf } from '../../../core/webhooks/signature.ts';
import { platformUser, typed } from '../../../core/webhooks/vouching.ts';
import { type Check, checks } from './checks.ts';
import type { Subject } from './subject.ts';

// An invented provider with one fault at a time: the suite must report each, whatever the provider's names are.

vi.mock('node:crypto', async (original) =>
  (await import('./comparisons.ts')).recording(await original<typeof import('node:crypto')>()),
);

const NOW = Date.parse('2026-03-02T09:00:00Z');
const [SEAL, HOUR] = ['x-acme-seal', 'x-acme-hour'] as const;
const TOLERANCE_SECONDS = 300;

const declaration = {
  id: 'acme',
  title: 'Acme',
  docs: 'https://acme.example',
  secrets: { word: { about: 'the word' }, accessKey: { about: 'a key', optional: true } },
  schemes: { seal: { covers: 'body', time: { toleranceSeconds: TOLERANCE_SECONDS } } },
} as const;

const sealOf = (word: string, hour: string, body: Uint8Array): string =>
  hmac('sha256', word, 'hex', `${hour}.`, body);

const sound = channel({
  ...declaration,
  verify(request, { secrets, now }) {
    const missing = missingHeader(request, SEAL, HOUR);
    if (missing) return missing;
    const { [SEAL]: seal = '', [HOUR]: hour = '' } = request.headers;
    const expected = secrets.word.map((word) => sealOf(word, hour, request.body));
    if (!isOneOf(seal, expected)) return refused('the seal does not match');
    const signedAt = epochSeconds(hour);
    return acceptFresh('seal', request, { signedAt, now, toleranceSeconds: TOLERANCE_SECONDS });
  },
});

const Payload = z.looseObject({ id: z.string(), from: z.string(), text: z.string().optional() });
const soundMapping: ChannelMapping = {
  id: 'acme',
  channels: ['chat'],
  kinds: ['message'],
  vouching: [platformUser('from', 'acme')],
  decode({ body }) {
    const { id, from, text } = Payload.parse(parsePayload(body));
    return {
      interactions: [
        {
          ...{ key: id, kind: 'message', channel: 'chat', direction: 'inbound' },
          ...{ identifiers: [`acme:${from}`], text },
        },
      ],
      ignored: [],
    };
  },
};

const subjectOf = (connector: ChannelConnector, mapping = soundMapping): Subject => {
  const hour = String(NOW / 1000);
  const body = Buffer.from('{"id":"m1","from":"ada","text":"Hello"}');
  return {
    ...{ name: 'acme: message', connector, mapping, now: NOW },
    secrets: { word: ['a word of some length'] },
    request: {
      method: 'POST',
      url: 'https://hub.example/webhooks/acme',
      headers: {
        'content-type': 'application/json',
        [SEAL]: sealOf('a word of some length', hour, body),
        [HOUR]: hour,
      },
      body,
    },
    document: () => '',
  };
};

const reportsOf = async (subject: Subject): Promise<string[]> => {
  const reports: string[] = [];
  for (const [name, check] of Object.entries<Check>(checks))
    if ((await check(subject)).length > 0) reports.push(name);
  return reports;
};

const mapped = (decode: ChannelMapping['decode']): Subject => subjectOf(sound, { ...soundMapping, decode });
const verified = (verify: ChannelConnector['verify']): Subject => subjectOf({ ...sound, verify });
const declared = (scheme: ChannelConnector['schemes'][string]): Subject =>
  subjectOf({ ...sound, schemes: { seal: scheme } });

const onlyFirst: ChannelConnector['verify'] = (request, context) =>
  sound.verify(request, { ...context, secrets: { word: context.secrets['word']?.slice(0, 1) ?? [] } });
const onlyLast: ChannelConnector['verify'] = (request, context) =>
  sound.verify(request, { ...context, secrets: { word: context.secrets['word']?.slice(-1) ?? [] } });

/** Compares with `isSame`, which is not constant-time. */
const comparing =
  (isSame: (seal: string, expected: string) => boolean): ChannelConnector['verify'] =>
  (request, { secrets, now }) => {
    const missing = missingHeader(request, SEAL, HOUR);
    if (missing) return missing;
    const { [SEAL]: seal = '', [HOUR]: hour = '' } = request.headers;
    const right = secrets['word']?.some((word) => {
      const mac = createHmac('sha256', word).update(`${hour}.`).update(request.body).digest('hex');
      return isSame(seal, mac);
    });
    if (right !== true) return refused('the seal does not match');
    const signedAt = epochSeconds(hour);
    return acceptFresh('seal', request, { signedAt, now, toleranceSeconds: TOLERANCE_SECONDS });
  };

/** Verifies with one header replaced by what the sound provider would have got. */
const assuming =
  (header: string, value: string): ChannelConnector['verify'] =>
  (request, context) =>
    sound.verify(
      { ...request, headers: { ...request.headers, [header]: request.headers[header] ?? value } },
      context,
    );

describe('the contract suite', () => {
  it('reports nothing of a sound provider', async () => {
    expect(await reportsOf(subjectOf(sound))).toEqual([]);
  });

  const faults: readonly (readonly [string, Subject, keyof typeof checks])[] = [
    ['tries the first of several secrets only', verified(onlyFirst), 'tries every stored secret'],
    ['tries the last of several secrets only', verified(onlyLast), 'tries every stored secret'],
    [
      'compares with ===',
      verified(comparing((seal, mac) => seal === mac)),
      'compares secrets in constant time',
    ],
    [
      'compares with Buffer.equals',
      verified(comparing((seal, mac) => Buffer.from(seal).equals(Buffer.from(mac)))),
      'compares secrets in constant time',
    ],
    [
      'compares with === after a comparison in constant time of something else',
      verified(comparing((seal, mac) => isOneOf(seal, [seal]) && seal === mac)),
      'compares secrets in constant time',
    ],
    [
      'makes up its keys',
      mapped(async (delivery) => {
        const decoded = await soundMapping.decode(delivery);
        return {
          ...decoded,
          interactions: decoded.interactions.map((one) => ({ ...one, key: randomUUID() })),
        };
      }),
      'gives the same interactions for a redelivery',
    ],
    [
      'declares nobody who vouches',
      subjectOf(sound, { ...soundMapping, vouching: [] }),
      'declares who vouches for its identifiers',
    ],
    [
      'declares as claimed what it gives as proven',
      subjectOf(sound, { ...soundMapping, vouching: [typed('from', 'acme')] }),
      'declares who vouches for its identifiers',
    ],
    [
      'declares as proven what it gives as claimed',
      mapped(async (delivery) => {
        const decoded = await soundMapping.decode(delivery);
        const interactions = decoded.interactions.map((one) => ({ ...one, claimed: one.identifiers }));
        return { ...decoded, interactions };
      }),
      'declares who vouches for its identifiers',
    ],
    [
      'makes its keys of the time of arrival',
      mapped(async (delivery) => {
        const decoded = await soundMapping.decode(delivery);
        const key = delivery.receivedAt;
        return { ...decoded, interactions: decoded.interactions.map((one) => ({ ...one, key })) };
      }),
      'gives the same interactions for a redelivery',
    ],
    [
      'declares no signed time and refuses old requests',
      declared({ covers: 'body', time: 'unsigned' }),
      'bounds the age of a request as its scheme declares',
    ],
    [
      'declares a longer tolerance than it has',
      declared({ covers: 'body', time: { toleranceSeconds: 900 } }),
      'bounds the age of a request as its scheme declares',
    ],
    [
      'declares a signed time and does not check it',
      verified((request, context) =>
        sound.verify(request, { ...context, now: epochSeconds(request.headers[HOUR] ?? '') }),
      ),
      'bounds the age of a request as its scheme declares',
    ],
    [
      'does not look at the body',
      verified((request, context) =>
        sound.verify({ ...request, body: subjectOf(sound).request.body }, context),
      ),
      'covers what its scheme declares',
    ],
    [
      'declares a token and returns no nonce',
      declared({ covers: 'token', time: { toleranceSeconds: TOLERANCE_SECONDS } }),
      'covers what its scheme declares',
    ],
    [
      'does without its header of the time',
      verified(assuming(HOUR, String(NOW / 1000))),
      'needs each header that it reads',
    ],
    [
      'accepts everybody',
      verified((request) => accepted('seal', request)),
      'refuses wrong, empty and absent secrets',
    ],
    [
      'accepts by a scheme that it does not declare',
      subjectOf({ ...sound, schemes: {} }),
      'takes the request',
    ],
  ];

  it.each(faults)('reports a provider that %s', async (_, subject, check) => {
    expect(await reportsOf(subject)).toContain(check);
  });
});

describe('the type of a connector', () => {
  it('needs a declaration of what each scheme covers and whether it signs time', () => {
    // @ts-expect-error no schemes
    channel({ ...declaration, schemes: undefined, verify: () => refused('never') });
    // @ts-expect-error a scheme without its time
    channel({ ...declaration, schemes: { seal: { covers: 'body' } }, verify: () => refused('never') });
    // @ts-expect-error a scheme that is not declared
    channel({ ...declaration, verify: (request) => accepted('wax', request) });
    channel({ ...declaration, verify: (request) => accepted('seal', request) });
  });
});
