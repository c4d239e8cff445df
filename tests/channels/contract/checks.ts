import { isReport } from '../../../core/identity/proof/vouched.ts';
import { DecodedInteraction, interactionId } from '../../../core/interaction/interaction.ts';
import type { SchemeDeclaration, WebhookRequest } from '../../../core/webhooks/channel.ts';
import { vouchingOf } from '../../../core/webhooks/vouching.ts';
import { deliveryOf } from '../../../functions/record/messages/decode.ts';
import { hasFailedComparison } from './comparisons.ts';
import { type Changes, deliver, type Outcome, type Subject, schemeOf } from './subject.ts';

/** Looks for one kind of fault in a provider, by one good request. Returns a sentence for each that it finds. */
export type Check = (subject: Subject) => Promise<string[]>;

const isTaken = ({ answer, queued }: Outcome): boolean => answer.status < 300 && queued.length <= 1;
const isRefused = ({ answer, queued }: Outcome): boolean =>
  [400, 401, 403].includes(answer.status) && queued.length === 0;

/** A finding if the changed request is not refused. */
const mustRefuse = async (subject: Subject, change: string, changes: Changes): Promise<string[]> => {
  const outcome = await deliver(subject, changes);
  return isRefused(outcome) ? [] : [`${change}: answered with ${outcome.answer.status} instead of a refusal`];
};

/** A finding if the changed request is not accepted by the same scheme as before. */
const mustTake = async (subject: Subject, change: string, changes: Changes): Promise<string[]> => {
  const outcome = await deliver(subject, changes);
  return isTaken(outcome) ? [] : [`${change}: answered with ${outcome.answer.status} instead of a success`];
};

/** The declaration of the scheme that authenticates a request; undefined for an open handshake. */
const declarationOf = async (subject: Subject): Promise<SchemeDeclaration | undefined> =>
  subject.connector.schemes[(await schemeOf(subject)) ?? ''];

const takesTheRequest: Check = async (subject) => {
  const { answer, queued, sent, verdict } = await deliver(subject);
  if (answer.status >= 300) return [`answered with ${answer.status}`];
  if (verdict === undefined || verdict.verdict === 'refused') return ['the connector was not asked'];
  const declared = [
    ...Object.keys(subject.connector.schemes),
    ...(verdict.verdict === 'answered' ? ['open'] : []),
  ];
  const body = Buffer.from(queued[0]?.request.body ?? '', 'base64');
  return [
    ...(declared.includes(verdict.scheme) ? [] : [`the scheme ${verdict.scheme} is not declared`]),
    ...(queued.length === 0 || body.equals(sent.body) ? [] : ['another body was queued']),
  ];
};

/** Another value of the same length; one character in the middle differs. */
export const altered = (value: string): string => {
  const middle = value.length >> 1;
  return `${value.slice(0, middle)}${value[middle] === 'A' ? 'B' : 'A'}${value.slice(middle + 1)}`;
};

const triesEverySecret: Check = async (subject) => {
  const findings = await Promise.all(
    Object.entries(subject.secrets).flatMap(([name, values]) => {
      const wrong = values.map(altered);
      return [
        mustTake(subject, `${name} is the second of two`, {
          secrets: (stored) => ({ ...stored, [name]: [...wrong, ...values] }),
        }),
        mustTake(subject, `${name} is the first of two`, {
          secrets: (stored) => ({ ...stored, [name]: [...values, ...wrong] }),
        }),
      ];
    }),
  );
  return findings.flat();
};

const refusesWrongSecrets: Check = async (subject) => {
  if ((await schemeOf(subject)) === 'open') return [];
  const every = (value: string): Changes => ({
    secrets: (stored) => Object.fromEntries(Object.keys(stored).map((name) => [name, [value]])),
  });
  return [
    ...(await mustRefuse(subject, 'wrong secrets', every('d3Jvbmc='))),
    ...(await mustRefuse(subject, 'empty secrets', every(''))),
    ...(await mustRefuse(subject, 'no secrets', { secrets: () => undefined })),
  ];
};

/** A secret that decides about the request is compared in constant time, whatever the connector compares besides. */
const comparesInConstantTime: Check = async (subject) => {
  const findings: string[] = [];
  for (const [name, values] of Object.entries(subject.secrets)) {
    if (subject.connector.secrets[name]?.isPublic === true) continue;
    let outcome: Outcome | undefined;
    const hasFailed = await hasFailedComparison(async () => {
      outcome = await deliver(subject, { secrets: (stored) => ({ ...stored, [name]: values.map(altered) }) });
    });
    if (outcome !== undefined && isRefused(outcome) && !hasFailed)
      findings.push(`a wrong ${name} of the same length was refused without a comparison in constant time`);
  }
  return findings;
};

/** Describes the body and decides nothing about who sent it. */
const DESCRIPTIVE: ReadonlySet<string> = new Set(['content-type']);

const without = (request: WebhookRequest, names: readonly string[]): WebhookRequest => ({
  ...request,
  headers: Object.fromEntries(Object.entries(request.headers).filter(([name]) => !names.includes(name))),
});

/** Every header that the connector reads is needed, unless the scheme declares it as optional. */
const needsItsHeaders: Check = async (subject) => {
  const { headersRead } = await deliver(subject);
  const scheme = await schemeOf(subject);
  const { optionalHeaders = [] } = (await declarationOf(subject)) ?? {};
  const read = [...headersRead].filter((name) => !DESCRIPTIVE.has(name));
  const needed = read.filter((name) => !optionalHeaders.includes(name));
  const findings: string[] = [];
  for (const names of [...needed.map((name) => [name]), ...(read.length > 0 ? [read] : [])]) {
    const outcome = await deliver(subject, { request: (same) => without(same, names) });
    const another = outcome.verdict?.verdict === 'refused' ? undefined : outcome.verdict?.scheme;
    if (!isRefused(outcome) && another === scheme)
      findings.push(`taken by ${scheme} without ${names.join(', ')}; is it one of the optionalHeaders?`);
  }
  return findings;
};

/** The last letter or digit differs, so that a form stays a form; base64 ends with spare bits, which this does not hit. */
const withChangedByte = (body: Uint8Array, member: string | undefined): Uint8Array => {
  const changed = Buffer.from(body);
  const found = member && new RegExp(`"${member}"\\s*:\\s*"`, 'u').exec(changed.toString('latin1'));
  const at = found
    ? found.index + found[0].length
    : changed.findLastIndex((byte) => (byte >= 97 && byte <= 122) || (byte >= 48 && byte <= 57));
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
};

const coversWhatItDeclares: Check = async (subject) => {
  const declaration = await declarationOf(subject);
  if (declaration === undefined) return [];
  const { covers } = declaration;
  const { verdict } = await deliver(subject);
  const hasNonce = verdict?.verdict === 'accepted' && verdict.nonce !== undefined;
  const findings = hasNonce === (covers === 'token') ? [] : ['`covers: token` and a nonce belong together'];
  if (covers === 'token')
    return [...findings, ...(await mustRefuse(subject, 'a nonce with another body', { isNonceUsed: true }))];
  if (subject.request.method === 'GET')
    return covers === 'nothing' ? findings : [...findings, ...(await queryIsCovered(subject))];
  const changed: Changes = {
    request: (same) => ({
      ...same,
      body: withChangedByte(same.body, typeof covers === 'object' ? covers.member : undefined),
    }),
  };
  if (covers === 'nothing') return findings;
  const half: Changes = {
    request: (same) => ({ ...same, body: same.body.subarray(0, same.body.byteLength / 2) }),
  };
  return [
    ...findings,
    ...(await mustRefuse(subject, 'a changed byte', changed)),
    ...(await mustRefuse(subject, 'half of the body', half)),
  ];
};

const queryIsCovered: Check = async (subject) => {
  const url = new URL(subject.request.url);
  const findings: string[] = [];
  for (const name of new Set(url.searchParams.keys())) {
    const changed = new URL(url);
    changed.searchParams.set(name, `${url.searchParams.get(name)}1`);
    findings.push(
      ...(await mustRefuse(subject, `another ${name}`, {
        request: (same) => ({ ...same, url: changed.href }),
      })),
    );
  }
  return findings;
};

const YEARS = 10 * 365 * 86_400;
const DAYS = 4 * 86_400;
/** Tokens allow a minute for clocks, and a recorded request is received some seconds after it was signed. */
const CLOCKS = 61;

/** A time that is declared as signed bounds when the request is accepted; a request without one is accepted always. */
const boundsItsAge: Check = async (subject) => {
  const declaration = await declarationOf(subject);
  if (declaration === undefined) return [];
  const { time } = declaration;
  const at = (delaySeconds: number): [string, Changes] => [`${delaySeconds} seconds later`, { delaySeconds }];
  if (time === 'unsigned')
    return [...(await mustTake(subject, ...at(YEARS))), ...(await mustTake(subject, ...at(-YEARS)))];
  if (subject.now === undefined) return ['the request names no time, and its scheme declares one'];
  if (time === 'expires') return mustRefuse(subject, ...at(DAYS));
  const { toleranceSeconds } = time;
  return [
    ...(await mustTake(subject, ...at(Math.max(0, toleranceSeconds - CLOCKS)))),
    ...(await mustRefuse(subject, ...at(toleranceSeconds + CLOCKS))),
    ...(await mustRefuse(subject, ...at(-toleranceSeconds - CLOCKS))),
  ];
};

const decode = async (subject: Subject, { queued, sent }: Outcome, redelivery: object = {}) => {
  const [message] = queued;
  if (message === undefined) return { interactions: [], ignored: [] };
  return subject.mapping.decode(deliveryOf({ ...message, ...redelivery }, sent.body));
};

const givesValidInteractions: Check = async (subject) => {
  const { interactions } = await decode(subject, await deliver(subject));
  return interactions.flatMap((one) => DecodedInteraction.safeParse(one).error?.message ?? []);
};

/** Each identifier has a row that says who vouches for it, and the interaction follows the row. */
const declaresWhoVouches: Check = async (subject) => {
  const { vouching } = subject.mapping;
  const { interactions } = await decode(subject, await deliver(subject));
  return interactions
    .filter((one) => !isReport(one))
    .flatMap((one) =>
      one.identifiers.flatMap((identifier) => {
        const row = vouchingOf(vouching, one, identifier);
        const proof = one.claimed?.includes(identifier) === true ? 'claimed' : 'proven';
        if (row === undefined) return [`no row of \`vouching\` is about ${identifier} of a ${one.kind}`];
        return typeof row.proof === 'object' || row.proof === proof
          ? []
          : [`${identifier} of a ${one.kind} is ${proof}, and its row says ${row.proof}`];
      }),
    );
};

/** A redelivery becomes the same rows: nothing of an interaction is random, and its id does not depend on the arrival. */
const givesTheSameTwice: Check = async (subject) => {
  const outcome = await deliver(subject);
  const first = await decode(subject, outcome);
  const again = await decode(subject, outcome);
  const redelivered = await decode(subject, outcome, {
    id: 'another',
    receivedAt: '2030-01-01T00:00:00.000Z',
  });
  const idsOf = ({ interactions }: typeof first) =>
    interactions.map(({ key }) => interactionId(subject.connector.id, undefined, key));
  return [
    ...(JSON.stringify(first) === JSON.stringify(again) ? [] : ['two decodes of one delivery differ']),
    ...(idsOf(first).join() === idsOf(redelivered).join()
      ? []
      : ['a redelivery has other ids of interactions']),
  ];
};

/** The path of every member of a document. */
const membersOf = (value: unknown, at: readonly string[] = []): (readonly string[])[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, inner]) => [
        ...(Array.isArray(value) ? [] : [[...at, name]]),
        ...membersOf(inner, [...at, name]),
      ])
    : [];

/** The text of a document in which one member is null, or absent. */
const withMember = (value: unknown, at: readonly string[], to: null | undefined): string => {
  const parent = at.slice(0, -1).reduce((part, key) => Object(part)[key], value);
  return JSON.stringify(value, function (this: unknown, name, inner) {
    return name === at.at(-1) && this === parent ? to : inner;
  });
};

const readsNullLikeAbsent: Check = async (subject) => {
  const [message] = (await deliver(subject)).queued;
  const text = Buffer.from(subject.request.body).toString();
  // Our own format documents what may be null.
  if (message === undefined || subject.connector.id === 'standard' || !/^[[{]/u.test(text)) return [];
  const document: unknown = JSON.parse(text);
  const isReadable = async (body: string): Promise<boolean> => {
    try {
      await subject.mapping.decode(deliveryOf(message, Buffer.from(body)));
      return true;
    } catch {
      return false;
    }
  };
  const findings: string[] = [];
  for (const at of membersOf(document))
    if (
      (await isReadable(withMember(document, at, undefined))) &&
      !(await isReadable(withMember(document, at, null)))
    )
      findings.push(`${at.join('.')} may be absent and not null`);
  return findings;
};

const refusesALargeBody: Check = async (subject) => {
  const { answer, queued } = await deliver(subject, {
    request: (same) => ({ ...same, body: new Uint8Array(4_500_001) }),
  });
  return answer.status === 413 && queued.length === 0 ? [] : [`answered with ${answer.status}`];
};

const hostileBodies = [
  '{"a":'.repeat(5000) + '1'.repeat(10) + '}'.repeat(5000),
  '[{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}]',
  '{"__proto__":{"polluted":true},"entry":[{"__proto__":{"polluted":true}}],"data":null,"message":[]}',
  'null',
  '',
];

/** Nothing crashes: the request is answered, and what is queued can be decoded or is unreadable. */
const survives = async (
  subject: Subject,
  change: string,
  request: (same: WebhookRequest) => WebhookRequest,
): Promise<string[]> => {
  try {
    const outcome = await deliver(subject, { request });
    if (outcome.answer.status >= 500) return [`${change}: answered with ${outcome.answer.status}`];
    await decode(subject, outcome);
    return [];
  } catch (error) {
    const name = error instanceof Error ? error.name : String(error);
    return ['HubError', 'ZodError', '$ZodError'].includes(name) ? [] : [`${change}: ${name}`];
  }
};

const survivesHostileBodies: Check = async (subject) => {
  const findings: string[] = [];
  for (const text of hostileBodies)
    findings.push(
      ...(await survives(subject, text.slice(0, 20), (same) => ({ ...same, body: Buffer.from(text) }))),
    );
  findings.push(
    ...(await survives(subject, 'half of the body', (same) => ({
      ...same,
      body: same.body.subarray(0, same.body.byteLength / 2),
    }))),
  );
  for (const type of ['text/plain', 'multipart/form-data', 'application/x-www-form-urlencoded', ''])
    findings.push(
      ...(await survives(subject, `content type "${type}"`, (same) => ({
        ...same,
        headers: { ...same.headers, 'content-type': type },
      }))),
    );
  return Reflect.get({}, 'polluted') === undefined ? findings : [...findings, 'a prototype was polluted'];
};

/** What must hold of every good request of every provider. */
export const checks = {
  'takes the request': takesTheRequest,
  'tries every stored secret': triesEverySecret,
  'refuses wrong, empty and absent secrets': refusesWrongSecrets,
  'compares secrets in constant time': comparesInConstantTime,
  'needs each header that it reads': needsItsHeaders,
  'covers what its scheme declares': coversWhatItDeclares,
  'bounds the age of a request as its scheme declares': boundsItsAge,
  'gives valid interactions': givesValidInteractions,
  'declares who vouches for its identifiers': declaresWhoVouches,
  'gives the same interactions for a redelivery': givesTheSameTwice,
  'reads null like an absent member': readsNullLikeAbsent,
  'refuses a body above the limit': refusesALargeBody,
  'survives hostile bodies': survivesHostileBodies,
} as const satisfies Readonly<Record<string, Check>>;
