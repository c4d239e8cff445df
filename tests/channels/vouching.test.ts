import { describe, expect, it } from 'vitest';
import { mappingOf, providerIds } from '../../connectors/registry.ts';
import { isReport } from '../../core/identity/proof/vouched.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import { type Vouching, vouchingOf } from '../../core/webhooks/vouching.ts';
import { decode } from '../../functions/record/messages/decode.ts';
import { caseBody } from '../../infra/scenario/webhook-case/case.ts';
import { receiveCase } from '../../infra/scenario/webhook-case/receive-case.ts';
import { type GoodCase, goodCases } from '../support/cases.ts';

const decoded = async ({ provider, one }: GoodCase): Promise<readonly DecodedInteraction[]> => {
  const event = {
    type: 'delivery',
    id: one.case,
    provider,
    receivedAt: '2026-03-02T09:00:00.000Z',
    request: { method: 'EVENT', url: '', headers: {} },
  } as const;
  const [message] = one.method === 'LAMBDA' ? [event] : (await receiveCase(one)).queued;
  if (message === undefined) return [];
  const { interactions } = await decode(mappingOf(provider), message, caseBody(one));
  return interactions.map(({ provider: _provider, account: _account, ...rest }) => rest);
};

const outcomes = async () => {
  const seen = new Map<Vouching, Set<string>>();
  for (const one of goodCases) {
    const rows = mappingOf(one.provider)?.vouching ?? [];
    for (const interaction of await decoded(one))
      if (!isReport(interaction))
        for (const identifier of interaction.identifiers) {
          const row = vouchingOf(rows, interaction, identifier);
          if (row) {
            const set = seen.get(row) ?? new Set();
            set.add(interaction.claimed?.includes(identifier) ? 'claimed' : 'proven');
            seen.set(row, set);
          }
        }
  }
  return seen;
};

describe('x', () => {
  it('y', async () => {
    const seen = await outcomes();
    const out: string[] = [];
    for (const id of providerIds)
      for (const row of mappingOf(id).vouching) {
        const s = [...(seen.get(row) ?? [])].sort().join();
        if (!s || (typeof row.proof === 'object' && s !== 'claimed,proven'))
          out.push(
            [id, row.type, row.field, JSON.stringify(row.on ?? {}), JSON.stringify(row.proof), s].join(' | '),
          );
      }
    expect(out).toEqual([]);
  });
});
