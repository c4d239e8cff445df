import { channels } from '../../connectors/channels/index.ts';
import { deliveryOf } from '../../functions/record/decode.ts';
import { documentOf, settingOf } from '../../infra/conformance/case.ts';
import { mappings } from '../../mappings/channels/index.ts';
import { goodCases, send } from '../channels/cases.ts';

interface ChannelCost {
  readonly provider: string;
  /** Microseconds per delivery, the median over the provider's fixtures of the best of several rounds. */
  readonly verify: number;
  readonly normalise: number;
  /** `JSON.parse` of the same body; undefined where it is not JSON. */
  readonly parse: number | undefined;
}

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

/** What verifying and normalising a delivery costs, per provider. */
export const benchChannels = async (): Promise<ChannelCost[]> => {
  const costs: ChannelCost[] = [];
  for (const [provider, connector] of Object.entries(channels)) {
    const [verify, normalise, parse]: [number[], number[], number[]] = [[], [], []];
    for (const good of goodCases.filter((one) => one.provider === provider && one.one.method !== 'LAMBDA')) {
      const { queued, sent } = await send(good);
      const [message] = queued;
      if (message === undefined) continue;
      const { secrets, now = Date.parse('2026-03-01T00:00:00Z') } = settingOf(good.one, connector);
      const declared = Object.keys(connector.secrets).map((name) => [name, secrets[name] ?? []]);
      const context = {
        secrets: Object.fromEntries(declared),
        now,
        document: async (url: string) => documentOf(good.one, url),
      };
      const delivery = deliveryOf(message, sent.body);
      verify.push(await microseconds(() => connector.verify(sent, context)));
      normalise.push(await microseconds(() => mappings[provider]?.decode(delivery)));
      const text = Buffer.from(sent.body).toString();
      if (isJson(text)) parse.push(await microseconds(() => JSON.parse(text)));
    }
    costs.push({
      provider,
      verify: median(verify),
      normalise: median(normalise),
      parse: parse.length === 0 ? undefined : median(parse),
    });
  }
  return costs;
};
