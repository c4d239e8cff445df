import { deepStrictEqual } from 'node:assert';
import { connectorOf, mappingOf, providerIds } from '../../../connectors/registry.ts';
import { deliveryOf } from '../../../functions/record/messages/decode.ts';
import { caseContext, caseDocument } from '../../../infra/scenario/webhook-case/case.ts';
import { type GoodCase, goodCases, sendCase } from '../../support/cases.ts';
import { handWritten } from './hand-written.ts';
import type { Measured } from './measured.ts';

const ROUNDS = 5;
const CALLS = 500;
const WARM_UP_CALLS = 1000;

/** Processor time of a call once it is warm, the best of several rounds: other programs on the machine do not count. */
const microseconds = async (use: () => unknown): Promise<number> => {
  for (let call = 0; call < WARM_UP_CALLS; call++) await use();
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let call = 0; call < CALLS; call++) await use();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / CALLS);
  }
  return best;
};

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

const isJson = (text: string): boolean => {
  try {
    return typeof JSON.parse(text) === 'object';
  } catch {
    return false;
  }
};

/** A fixture with what its connector and its mapping are called with. */
const opened = async (good: GoodCase) => {
  const [connector, mapping] = [connectorOf(good.provider), mappingOf(good.provider)];
  const { queued, sent } = await sendCase(good);
  const [message] = queued;
  if (connector === undefined || mapping === undefined || message === undefined) return undefined;
  const { secrets, now = Date.parse('2026-03-01T00:00:00Z') } = caseContext(good.one, connector);
  const declared = Object.keys(connector.secrets).map((name) => [name, secrets[name] ?? []]);
  const context = {
    secrets: Object.fromEntries(declared),
    now,
    document: async (url: string) => caseDocument(good.one, url),
  };
  const delivery = deliveryOf(message, sent.body);
  return {
    sent,
    secret: Object.values(secrets).flat()[0] ?? '',
    verify: () => connector.verify(sent, context),
    decode: async () => mapping.decode(delivery),
  };
};

/** What verifying and normalising a delivery costs: the median over the provider's fixtures of the best of several rounds. */
export const benchChannels = async (): Promise<Measured[]> => {
  const costs: Measured[] = [];
  for (const provider of providerIds) {
    const [verify, normalise, parse]: [number[], number[], number[]] = [[], [], []];
    for (const good of goodCases.filter((one) => one.provider === provider && one.one.method !== 'LAMBDA')) {
      const one = await opened(good);
      if (one === undefined) continue;
      verify.push(await microseconds(one.verify));
      normalise.push(await microseconds(one.decode));
      const text = Buffer.from(one.sent.body).toString();
      if (isJson(text)) parse.push(await microseconds(() => JSON.parse(text)));
    }
    const reading = parse.length === 0 ? '' : `, JSON.parse of the same body ${median(parse).toFixed(1)}`;
    costs.push({
      name: `verifying and normalising a delivery of ${provider}`,
      measured: median(verify) + median(normalise),
      unit: 'µs',
      timed: true,
      note: `verify ${median(verify).toFixed(1)}${reading}`,
    });
  }
  return [...costs, ...(await benchHandWritten())];
};

/** The same beside hand-written code that must come to the same interaction, measured in turns. */
const benchHandWritten = async (): Promise<Measured[]> => {
  const ratios: Measured[] = [];
  for (const { provider, fixture, read } of handWritten) {
    const good = goodCases.find(({ name }) => name === fixture);
    const one = good && (await opened(good));
    if (one === undefined) throw new Error(`There is no fixture ${fixture}.`);
    const [decoded] = (await one.decode()).interactions;
    const { claimed: _, ...expected } = decoded ?? { claimed: [] };
    deepStrictEqual(read(one.sent, one.secret), expected);
    const byHand = await microseconds(() => read(one.sent, one.secret));
    const ours = (await microseconds(one.verify)) + (await microseconds(one.decode));
    ratios.push({
      name: `… of ${provider}, relative to hand-written code`,
      measured: ours / byHand,
      unit: '×',
      goal: { atMost: 8 },
      timed: true,
      note: `${ours.toFixed(1)} against ${byHand.toFixed(1)} µs`,
    });
  }
  return ratios;
};
