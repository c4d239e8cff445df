import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { mappingOf, providerIds } from '../../connectors/registry.ts';
import { parseJson } from '../../core/formats/payload.ts';
import { identifierType } from '../../core/identity/identifier.ts';
import { IdentityConfig, usableIdentifiers } from '../../core/identity/rules.ts';
import type { Decoded } from '../../core/webhooks/channel.ts';
import type { DeliveryMessage } from '../../functions/contracts/messages/record.ts';
import { deliveryOf } from '../../functions/record/messages/decode.ts';
import { caseBody } from '../../infra/scenario/webhook-case/case.ts';
import { type GoodCase, goodCases } from '../support/cases.ts';

const RUNS = Number(process.env['FUZZ'] ?? 20_000);
/** A decode takes microseconds; whatever takes this long on a busy machine would take for ever on a longer text. */
const HANG_MS = 1000;

/** Mulberry32: the same numbers from the same seed, in [0, 1). */
const chance = (seed: number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

const odd: readonly unknown[] = [
  ...[
    undefined,
    null,
    true,
    0,
    -1,
    Number.POSITIVE_INFINITY,
    Number.MAX_SAFE_INTEGER,
    '',
    ' ',
    '0',
    'Infinity',
    '\u0000',
  ],
  ...['2026-13-45T99:99:99Z', '99999999999999999999', '+', '@', '{', '%E0%A4%A', '\ud800'],
  ...[
    [],
    {},
    [[]],
    [null],
    { length: 1e9 },
    'a'.repeat(5000),
    '<'.repeat(500),
    '((((((((((a+)+)+)+)+)',
    '\r\n'.repeat(200),
  ],
];

/** A copy of a tree with one place changed: gone, odd, doubled or moved. */
const mutateTree = (tree: unknown, random: () => number): unknown => {
  const copy = structuredClone(tree);
  const places: [object, string][] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      places.push([node, key]);
      walk(Reflect.get(node, key));
    }
  };
  walk(copy);
  const pick = <One>(list: readonly One[]): One | undefined => list[Math.floor(random() * list.length)];
  for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
    const place = pick(places);
    if (place === undefined) return pick(odd);
    const [node, key] = place;
    const way = random();
    if (way < 0.2) Reflect.deleteProperty(node, key);
    else if (way < 0.8) Reflect.set(node, key, pick(odd));
    else if (way < 0.9 && Array.isArray(node)) node.push(Reflect.get(node, key));
    else {
      const other = pick(places);
      Reflect.set(node, key, other && structuredClone(Reflect.get(...other)));
    }
  }
  return copy;
};

const mutateBytes = (bytes: Uint8Array, random: () => number): Uint8Array => {
  const changed = Buffer.from(bytes);
  for (let times = Math.floor(random() * 6); times > 0; times--)
    changed[Math.floor(random() * changed.length)] = Math.floor(random() * 256);
  return random() < 0.3 ? changed.subarray(0, Math.floor(random() * changed.length)) : changed;
};

type Mutate = (random: () => number) => { readonly body: Uint8Array; readonly url: string };

/** How a case's payload is changed: as a tree where it is one, else as bytes. */
const mutator = ({ one }: GoodCase): Mutate => {
  const body = caseBody(one);
  const url = one.verification?.url ?? one.url ?? 'https://hub.example/webhooks/x';
  const packed = body[0] === 0x1f && body[1] === 0x8b;
  const plain = packed ? gunzipSync(body) : body;
  const pack = (bytes: Uint8Array): Uint8Array => (packed ? gzipSync(bytes, { level: 1 }) : bytes);
  const form = (text: string, random: () => number): string =>
    new URLSearchParams(
      Object.entries(Object(mutateTree(Object.fromEntries(new URLSearchParams(text)), random))).map(
        ([name, value]): [string, string] => [name, String(value)],
      ),
    ).toString();
  const type = Object.entries(one.headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  if (one.method === 'GET') {
    const [path = '', query = ''] = url.split('?');
    return (random) => ({ body, url: `${path}?${form(query, random)}` });
  }
  if (type.startsWith('application/x-www-form-urlencoded'))
    return (random) => ({ body: Buffer.from(form(plain.toString(), random)), url });
  const tree = treeOf(plain);
  return (random) => ({
    url,
    body: pack(
      tree === undefined || random() < 0.05
        ? mutateBytes(plain, random)
        : Buffer.from(JSON.stringify(mutateTree(tree, random)) ?? 'null'),
    ),
  });
};

const treeOf = (bytes: Uint8Array): unknown => {
  try {
    return parseJson(bytes);
  } catch {
    return undefined;
  }
};

/** Letters and figures of everything that a payload says, also of what it says in base64 or as JSON within JSON. */
const saidIn = (text: string): string => {
  const inside = [...text.matchAll(/[A-Za-z0-9+/_-]{24,}={0,2}/gu)].map(([one]) =>
    Buffer.from(one, 'base64').toString(),
  );
  const whole = [text, text.replaceAll('+', ' '), ...inside].join(' ');
  const unescaped = whole.replace(/\\+u([0-9a-f]{4})/giu, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return bare(
    unescaped.replace(/%([0-9a-f]{2})/giu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  );
};

const bare = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

const rules = IdentityConfig.parse({});

const NOBODY = /^(?:undefined|null|nan|true|false|\[object object\])$/iu;

/** Identifiers that the payload does not say. */
const inventedIn = ({ interactions }: Decoded, payload: () => string): string[] => {
  const identifiers = usableIdentifiers(
    interactions.flatMap((one) => one.identifiers),
    rules,
  );
  if (identifiers.length === 0) return [];
  const text = payload();
  const plain = text.toLowerCase();
  let said: string | undefined;
  const isSaid = (part: string): boolean => {
    if (plain.includes(part.toLowerCase())) return true;
    said ??= saidIn(text);
    return said.includes(bare(part));
  };
  return identifiers.filter((identifier) => {
    const parts = identifier.slice(identifierType(identifier).length + 1).split(':');
    // A scope may be blank, where the payload's own is; a person may not.
    return parts.at(-1)?.trim() === '' || parts.some((part) => NOBODY.test(part) || !isSaid(part.trim()));
  });
};

const decodeOnce = async (
  provider: string,
  message: DeliveryMessage,
  body: Uint8Array,
): Promise<Decoded | undefined> => {
  try {
    return await mappingOf(provider)?.decode(deliveryOf(message, body));
  } catch (error) {
    if (error instanceof Error && ['HubError', 'ZodError', '$ZodError'].includes(error.name))
      return undefined;
    throw error;
  }
};

describe.each(providerIds)('%s', (provider) => {
  const cases = goodCases.filter((good) => good.provider === provider);

  it(`takes ${RUNS} damaged payloads without a crash, a hang or a customer made of nothing`, {
    timeout: 300_000,
  }, async () => {
    expect(cases).not.toEqual([]);
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    const random = chance(20_260_302);
    let longest = 0;
    const mutators = cases.map((good) => ({ good, mutate: mutator(good) }));
    for (let run = 0; run < RUNS; run++) {
      const { good, mutate } = mutators[run % mutators.length] ?? {};
      if (good === undefined || mutate === undefined) break;
      const { body, url } = mutate(random);
      const headers = Object.fromEntries(
        Object.entries(good.one.headers).map(([name, value]) => [name.toLowerCase(), value]),
      );
      const method = good.one.method === 'LAMBDA' ? 'EVENT' : good.one.method;
      const message: DeliveryMessage = {
        ...{ type: 'delivery', id: 'fuzz', provider, receivedAt: '2026-03-02T09:00:00.000Z' },
        request: { method, url, headers },
      };
      const begun = performance.now();
      const decoded = await decodeOnce(provider, message, body);
      longest = Math.max(longest, performance.now() - begun);
      if (decoded === undefined) continue;
      const plain =
        body[0] === 0x1f && body[1] === 0x8b
          ? () => gunzipSync(body).toString()
          : () => Buffer.from(body).toString();
      const invented = inventedIn(decoded, () => `${plain()} ${url} ${Object.values(headers).join(' ')}`);
      if (invented.length > 0)
        expect({ run, payload: plain().slice(0, 2000), invented }).toEqual('nothing invented');
    }
    Error.stackTraceLimit = limit;
    expect(longest).toBeLessThan(HANG_MS);
  });
});
