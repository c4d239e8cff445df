import { domainToUnicode } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { mappingOf, providerIds } from '../../connectors/registry.ts';
import { parseJson } from '../../core/formats/payload.ts';
import { identifierType } from '../../core/identity/identifier.ts';
import { IdentityConfig } from '../../core/identity/identity-config.ts';
import { usableIdentifiers } from '../../core/identity/normalise.ts';
import type { Decoded } from '../../core/webhooks/channel.ts';
import type { DeliveryMessage } from '../../functions/contracts/messages/record.ts';
import { deliveryOf } from '../../functions/record/messages/decode.ts';
import { caseBody } from '../../infra/scenario/webhook-case/case.ts';
import { type GoodCase, goodCases } from '../support/cases.ts';

// A short run for every commit, with the same seed each time. The long one: FUZZ=200000 FUZZ_SEED=7 vitest run <this file>.
// A failure prints the payload and the seed of its run: FUZZ=1 FUZZ_SEED=<seed> repeats that run alone.

const RUNS = Number(process.env['FUZZ'] ?? 500);
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_260_302);

/** Mulberry32: the same numbers from the same seed, in [0, 1). */
const randomFrom = (seed: number) => {
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
    const value = identifier.slice(identifierType(identifier).length + 1);
    // An international domain is stored as DNS has it.
    const parts = value.replace(/[^@]*xn--[^@]*$/u, domainToUnicode).split(':');
    // A scope may be blank, where the payload's own is; a person may not.
    return parts.at(-1)?.trim() === '' || parts.some((part) => NOBODY.test(part) || !isSaid(part.trim()));
  });
};

const plainBytes = (body: Uint8Array): Buffer =>
  body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : Buffer.from(body);
const plainText = (body: Uint8Array): string => plainBytes(body).toString();
const windows = new TextDecoder('windows-1252');

/** Decodes one damaged payload. Returns what is wrong with the result; undefined if nothing is. */
const faultOf = async (
  { provider, one }: GoodCase,
  { body, url }: ReturnType<Mutate>,
): Promise<string | undefined> => {
  const headers = Object.fromEntries(
    Object.entries(one.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const message: DeliveryMessage = {
    ...{ type: 'delivery', id: 'fuzz', provider, receivedAt: '2026-03-02T09:00:00.000Z' },
    request: { method: one.method === 'LAMBDA' ? 'EVENT' : one.method, url, headers },
  };
  let decoded: Decoded | undefined;
  try {
    decoded = await mappingOf(provider)?.decode(deliveryOf(message, body));
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    return ['HubError', 'ZodError', '$ZodError'].includes(name) ? undefined : `decode threw ${error}`;
  }
  // What is no UTF-8 is read as windows-1252.
  const said = () =>
    `${plainText(body)} ${windows.decode(plainBytes(body)).normalize('NFKC')} ${url} ${Object.values(headers).join(' ')}`;
  const invented = decoded === undefined ? [] : inventedIn(decoded, said);
  return invented.length > 0
    ? `identifiers that the payload does not contain: ${invented.join(', ')}`
    : undefined;
};

describe.each(providerIds)('%s', (provider) => {
  const mutators = goodCases
    .filter((good) => good.provider === provider)
    .map((good) => ({ good, mutate: mutator(good) }));

  it(`decodes ${RUNS} damaged payloads without a crash and without invented identifiers`, {
    timeout: 60_000 + RUNS * 20,
  }, async () => {
    expect(mutators).not.toEqual([]);
    const limit = Error.stackTraceLimit;
    // Thousands of expected errors are thrown; their stacks would take most of the time.
    Error.stackTraceLimit = 0;
    const faults: object[] = [];
    for (let seed = SEED; seed < SEED + RUNS && faults.length === 0; seed++) {
      const { good, mutate } = mutators[seed % mutators.length] ?? {};
      if (good === undefined || mutate === undefined) break;
      const damaged = mutate(randomFrom(seed));
      const fault = await faultOf(good, damaged);
      if (fault !== undefined)
        faults.push({ seed, case: good.name, fault, url: damaged.url, payload: plainText(damaged.body) });
    }
    Error.stackTraceLimit = limit;
    expect(faults, JSON.stringify(faults[0], undefined, 2)).toEqual([]);
  });
});
