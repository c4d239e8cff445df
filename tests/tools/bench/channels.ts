import { connectorOf, mappingOf, providerIds } from '../../../connectors/registry.ts';
import { deliveryOf } from '../../../functions/record/messages/decode.ts';
import { caseContext, caseDocument } from '../../../infra/scenario/webhook-case/case.ts';
import { goodCases, sendCase } from '../../support/cases.ts';
import type { Measured } from './measured.ts';

const ROUNDS = 5;
const CALLS = 200;

const microseconds = async (use: () => unknown): Promise<number> => {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const began = process.hrtime.bigint();
    for (let call = 0; call < CALLS; call++) await use();
    best = Math.min(best, Number(process.hrtime.bigint() - began) / 1000 / CALLS);
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

/** What verifying and normalising a delivery costs: the median over the provider's fixtures of the best of several rounds. */
export const benchChannels = async (): Promise<Measured[]> => {
  const costs: Measured[] = [];
  for (const provider of providerIds) {
    const connector = connectorOf(provider);
    const [verify, normalise, parse]: [number[], number[], number[]] = [[], [], []];
    for (const good of goodCases.filter((one) => one.provider === provider && one.one.method !== 'LAMBDA')) {
      const { queued, sent } = await sendCase(good);
      const [message] = queued;
      if (message === undefined) continue;
      const { secrets, now = Date.parse('2026-03-01T00:00:00Z') } = caseContext(good.one, connector);
      const declared = Object.keys(connector.secrets).map((name) => [name, secrets[name] ?? []]);
      const context = {
        secrets: Object.fromEntries(declared),
        now,
        document: async (url: string) => caseDocument(good.one, url),
      };
      const delivery = deliveryOf(message, sent.body);
      verify.push(await microseconds(() => connector.verify(sent, context)));
      normalise.push(await microseconds(() => mappingOf(provider).decode(delivery)));
      const text = Buffer.from(sent.body).toString();
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
  return costs;
};
