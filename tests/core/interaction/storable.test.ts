import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it } from 'vitest';
import { Report } from '../../../core/interaction/report.ts';
import { storableMembers } from '../../../core/interaction/storable.ts';

const nested = (levels: number): object => (levels === 0 ? { end: 1 } : { in: nested(levels - 1) });

describe('what DynamoDB does not store', () => {
  it('is kept as JSON text, and everything beside it as it is', () => {
    expect(
      storableMembers({ total: 12.5, far: 1e300, near: 1e-200, list: [1e300, 'a'], odd: { '': 1 }, '': 'x' }),
    ).toEqual({
      total: 12.5,
      far: '1e+300',
      near: '1e-200',
      list: ['1e+300', 'a'],
      odd: '{"":1}',
      unnamed: 'x',
    });
  });

  it('is nesting beyond its levels: the rest is text', () => {
    const stored = storableMembers({ tree: JSON.parse(JSON.stringify(nested(60))) });
    const levels = JSON.stringify(marshall({ pk: 'x', properties: stored })).split('"M":').length - 1;
    expect(levels).toBeLessThan(31);
    expect(JSON.stringify(stored).match(/end/gu)).toHaveLength(1);
  });

  it.each([
    [{ total: 1e300 }, 'outside the range of DynamoDB'],
    [{ a: { b: [{ '': 1 }] } }, 'a member without a name'],
    [nested(40), 'nested deeper than'],
  ])('is refused where a program of the business reports it', (properties, message) => {
    const read = Report.safeParse({ identifiers: ['user-id:1'], properties });
    expect(read.error?.issues.map((issue) => issue.message).join()).toContain(message);
    expect(read.error?.issues[0]?.path[0]).toBe('properties');
  });
});
