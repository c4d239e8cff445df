import { existsSync, globSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { connectorOf, mappingOf, providerIds } from '../../connectors/registry.ts';
import { DecodedInteraction } from '../../core/interaction/interaction.ts';
import type { WebhookRequest } from '../../core/webhooks/channel.ts';
import { deliveryOf } from '../../functions/record/messages/decode.ts';
import { secretNames } from '../../infra/scenario/case-secrets.ts';
import { type GoodCase, goodCases, sendCase } from '../support/cases.ts';
import { gradeFolders } from '../tools/conformance/run.ts';

// What must hold of every provider is derived here from its good fixtures. A vendor adds fixtures and no test.

/** Schemes in which the body is not covered: whoever has the credential may say anything. */
const bodyIsFree =
  /^(?:none|http-basic|address-key|telegram-secret-token|mailgun-hmac-sha256|botframework-jwt-rs256|apple-jwt-hs256|rbm-client-token|meta-verify-token|plivo-v2-hmac-sha256|salesforce-.*)$/u;
/** Schemes that cover a part of the body only: which member of it. */
const coveredMember: Readonly<Record<string, RegExp>> = {
  'sns-rsa': /"Message"\s*:\s*"/u,
  'rbm-hmac-sha512': /"data"\s*:\s*"/u,
};
/** Schemes that sign a time and refuse an old one. */
const timed =
  /^(?:sns-rsa|mailgun-.*|.*-jwt.*|vonage-sig.*|bird-.*|svix-.*|standard-.*|slack-.*|stripe-.*|calendly-.*|telnyx-.*|tiktok-.*|hubspot-v3-.*|sendgrid-.*|zendesk-.*|discord-.*)$/u;
/** Headers that prove something. */
const proof =
  /^(?!.*(?:idempotency|-ma-|-type$|-version$))(?:authorization|.*(?:signature|hmac|timestamp|secret-token).*|webhook-id|svix-id)$/u;

const scheme = ({ one }: GoodCase): string => one.verification?.scheme ?? 'none';
const isSigned = (good: GoodCase): boolean => !bodyIsFree.test(scheme(good)) && good.one.method === 'POST';

const refusal = async (good: GoodCase, otherwise: Parameters<typeof sendCase>[1]): Promise<void> => {
  const { answer, queued } = await sendCase(good, otherwise);
  expect(queued).toEqual([]);
  expect([400, 401, 403]).toContain(answer.status);
};

/** Not taken for anything that it is not: no crash of the front, and what is queued can be decoded or is unreadable. */
const survival = async (good: GoodCase, request: (same: WebhookRequest) => WebhookRequest): Promise<void> => {
  const outcome = await sendCase(good, { request }).catch((error: unknown) => {
    // The outermost adapter answers 400.
    expect(error).toMatchObject({ name: 'HubError', retry: 'never' });
    return undefined;
  });
  expect(outcome?.answer.status ?? 400).toBeLessThan(500);
  for (const message of outcome?.queued ?? []) {
    try {
      await mappingOf(good.provider)?.decode(deliveryOf(message, outcome?.sent.body ?? new Uint8Array()));
    } catch (error) {
      expect(['HubError', 'ZodError', '$ZodError']).toContain(error instanceof Error ? error.name : error);
    }
  }
};

/** Where every member of a document stands. */
const members = (value: unknown, at: readonly string[] = []): (readonly string[])[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, inner]) => [
        ...(Array.isArray(value) ? [] : [[...at, name]]),
        ...members(inner, [...at, name]),
      ])
    : [];

/** The text of a document in which one member is null, or absent. */
const changed = (value: unknown, at: readonly string[], to: null | undefined): string =>
  JSON.stringify(value, function (this: unknown, name, inner) {
    // Nothing else than the member itself stands under its name in its own parent.
    return name === at.at(-1) && this === at.slice(0, -1).reduce((part, key) => Object(part)[key], value)
      ? to
      : inner;
  });

const posts = goodCases.filter(({ one }) => one.method !== 'LAMBDA');
const named = (cases: readonly GoodCase[]) => cases.map((good) => [good.name, good] as const);

describe('a good delivery', () => {
  it.each(named(posts))('%s: is taken, also beside other secrets', async (_, good) => {
    const beside = Object.keys(connectorOf(good.provider)?.secrets ?? {});
    const { answer, queued, sent } = await sendCase(good, {
      secrets: (stored) =>
        Object.fromEntries(beside.map((name) => [name, [...(stored[name] ?? []), ...(stored[name] ?? [])]])),
    });
    expect(answer.status).toBeLessThan(300);
    for (const message of queued)
      expect(Buffer.from(message.request.body ?? '', 'base64')).toEqual(Buffer.from(sent.body));
  });

  it.each(named(posts))('%s: gives what the model allows', async (_, good) => {
    const { queued, sent } = await sendCase(good);
    for (const message of queued) {
      const decoded = await mappingOf(good.provider)?.decode(deliveryOf(message, sent.body));
      for (const one of decoded?.interactions ?? [])
        expect(() => DecodedInteraction.parse(one)).not.toThrow();
    }
  });

  // Our own format says what may be null.
  it.each(
    named(posts.filter(({ provider, one }) => provider !== 'standard' && /^[[{]/u.test(one.rawBody ?? ''))),
  )('%s: is as readable with null as without what stood there', async (_, good) => {
    const [message] = (await sendCase(good)).queued;
    const document: unknown = JSON.parse(good.one.rawBody ?? '');
    const reads = async (body: string): Promise<boolean> => {
      try {
        if (message) await mappingOf(good.provider)?.decode(deliveryOf(message, Buffer.from(body)));
        return true;
      } catch {
        return false;
      }
    };
    for (const at of members(document))
      if (await reads(changed(document, at, undefined)))
        expect([at.join('.'), await reads(changed(document, at, null))]).toEqual([at.join('.'), true]);
  });

  it.each(named(posts.filter(isSigned)))('%s: is refused with a byte changed', async (_, good) => {
    await refusal(good, {
      request: (same) => {
        const body = Buffer.from(same.body);
        const member = coveredMember[scheme(good)]?.exec(body.toString('latin1'));
        // The last letter or figure, so that a form stays a form.
        const at = member
          ? member.index + member[0].length
          : body.findLastIndex((byte) => (byte >= 97 && byte <= 122) || (byte >= 48 && byte <= 57));
        // Base64 has bits to spare at its end, and none here.
        body[at] = (body[at] ?? 0) ^ 1;
        return { ...same, body };
      },
    });
  });

  it.each(
    posts.flatMap((good) =>
      Object.keys(good.one.headers)
        .map((header) => header.toLowerCase())
        .filter((header) => proof.test(header))
        .map((header) => [good.name, header, good] as const),
    ),
  )('%s: is refused without its header %s', async (_, header, good) => {
    await refusal(good, {
      request: ({ headers: { [header]: _gone, ...headers }, ...same }) => ({ ...same, headers }),
    });
  });

  it.each(named(posts.filter((good) => secretNames[good.provider] !== undefined)))(
    '%s: is refused with a wrong secret, an empty one, none',
    async (_, good) => {
      await refusal(good, {
        secrets: (stored) => Object.fromEntries(Object.keys(stored).map((name) => [name, ['d3Jvbmc=']])),
      });
      await refusal(good, {
        secrets: (stored) => Object.fromEntries(Object.keys(stored).map((name) => [name, ['']])),
      });
      await refusal(good, { secrets: () => undefined });
    },
  );

  it.each(
    named(posts.filter((good) => timed.test(scheme(good)) && good.one.verification?.now !== undefined)),
  )('%s: is refused four days later', async (_, good) => refusal(good, { delaySeconds: 4 * 86_400 }));

  const hour = 3600;
  it.each([
    ['sendgrid', /^(?!.*mail)/u, 25 * hour],
    ['sendgrid', /mail/u, 73 * hour],
    ['vonage', /receipt|dlr/u, 73 * hour],
    ['vonage', /inbound|whatsapp/u, 25 * hour],
    ['bird', /./u, 9 * hour],
    ['mailgun', /./u, 9 * hour],
    ['slack', /./u, 300],
    ['stripe', /./u, 300],
    ['discord', /./u, 900],
    ['zendesk', /./u, hour],
  ])(
    'of %s (%s) is taken as long as the vendor tries, %i s, and no longer',
    async (provider, name, seconds) => {
      const found = posts.filter(
        (good) =>
          good.provider === provider && timed.test(scheme(good)) && name.test(good.name.split(': ')[1] ?? ''),
      );
      expect(found.length).toBeGreaterThan(0);
      for (const good of found) {
        const { answer } = await sendCase(good, { delaySeconds: seconds - 60 });
        expect(answer.status).toBeLessThan(300);
        await refusal(good, { delaySeconds: seconds + 60 });
      }
    },
  );

  it.each(named(posts.filter((good) => scheme(good).startsWith('mailgun'))))(
    '%s: is refused where its token came with another body',
    async (_, good) => refusal(good, { nonceUsed: true }),
  );

  it.each(named(posts))('%s: is too large above the limit', async (_, good) => {
    const { answer, queued } = await sendCase(good, {
      request: (same) => ({ ...same, body: new Uint8Array(4_500_001) }),
    });
    expect([answer.status, queued]).toEqual([413, []]);
  });

  it.each(named(posts))('%s: does no harm cut, mislabelled, nested or named to do harm', async (_, good) => {
    const harm = [
      '{"a":'.repeat(5000) + '1'.repeat(10) + '}'.repeat(5000),
      '[{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}]',
      '{"__proto__":{"polluted":true},"entry":[{"__proto__":{"polluted":true}}],"data":null,"message":[]}',
      'null',
      '',
    ];
    for (const body of harm) await survival(good, (same) => ({ ...same, body: Buffer.from(body) }));
    await survival(good, (same) => ({ ...same, body: same.body.subarray(0, same.body.byteLength / 2) }));
    for (const type of ['text/plain', 'multipart/form-data', 'application/x-www-form-urlencoded', ''])
      await survival(good, (same) => ({ ...same, headers: { ...same.headers, 'content-type': type } }));
    if (isSigned(good))
      await refusal(good, {
        request: (same) => ({ ...same, body: same.body.subarray(0, same.body.byteLength / 2) }),
      });
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});

describe('the fixtures', () => {
  const folders = globSync(new URL('../fixtures/*/', import.meta.url).pathname);

  it('hold a good delivery of every provider', () => {
    const have = new Set(goodCases.map(({ provider }) => provider));
    expect(providerIds.filter((provider) => !have.has(provider))).toEqual([]);
  });

  it('become what they say', async () => {
    const graded = await gradeFolders(folders.filter((folder) => existsSync(folder)));
    expect(graded.flatMap(({ file, differences }) => differences.map((one) => `${file}: ${one}`))).toEqual(
      [],
    );
  });
});

describe('the registry', () => {
  it('names each connector and each mapping by its own id', () => {
    for (const id of providerIds) expect([connectorOf(id).id, mappingOf(id).id]).toEqual([id, id]);
    expect(providerIds).toEqual(providerIds.toSorted());
  });

  it.each(['', 'nobody', 'constructor', '__proto__'])('has no provider %j', (id) => {
    expect([connectorOf(id), mappingOf(id)]).toEqual([undefined, undefined]);
  });
});
