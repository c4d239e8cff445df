import { expect, it } from 'vitest';
import { mappingOf } from '../../connectors/registry.ts';
import { relationOf } from '../../core/interaction/relation.ts';
import { decode } from '../../functions/record/messages/decode.ts';
import { goodCases, sendCase } from '../support/cases.ts';

const statuses: ReadonlySet<string> = new Set([
  'delivery-status',
  'read',
  'bounce',
  'edit',
  'delete',
  'reaction',
]);

it('every recorded webhook that reports on a message has a known relation to it', async () => {
  let understood = 0;
  const not: string[] = [];
  for (const good of goodCases) {
    const { queued, sent } = await sendCase(good);
    for (const message of queued) {
      const { interactions } = await decode(mappingOf(good.provider), message, sent.body);
      for (const { key: _, fetch: _fetch, attachments: _files, ...act } of interactions) {
        const names = act.refersTo !== undefined || act.properties?.['watermark'] !== undefined;
        if (!statuses.has(act.kind) || !names) continue;
        const { occurredAt = message.receivedAt } = act;
        if (relationOf({ ...act, id: 'i', profileId: 'ada', occurredAt }) !== undefined) understood++;
        else not.push(`${good.name}: ${act.kind} ${JSON.stringify(act.properties)}`);
      }
    }
  }
  expect(not).toEqual([]);
  expect(understood).toBeGreaterThan(15);
});
