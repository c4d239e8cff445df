import { describe, expect, it } from 'vitest';
import { syncStage } from '../../../functions/contracts/stages/sync.ts';

const stage = syncStage('hubspot', 'HubSpot');
const change = { object: 'contacts', id: '51', act: 'changed', fields: { email: 'a digest' } };

describe('a message of a sync queue', () => {
  it.each([
    ['a customer', { profileId: 'p1', interaction: 'i1' }, { profileId: 'p1', interaction: 'i1' }],
    ['an erasure', { erasure: 'e1', part: 'contacts' }, { erasure: 'e1' }],
    ['a change in the CRM', { change }, { object: 'contacts', record: '51' }],
    ['a decision of a person', { decided: { profileId: 'p1', record: '51' } }, { profileId: 'p1' }],
    ['a slice of a job', { job: 'j1', slice: 0 }, { job: 'j1' }],
    ['a probe of the connection', { probe: true }, {}],
    ['a probe of an object', { probe: true, object: 'notes' }, { object: 'notes' }],
  ])('is about %s, and can be replayed', (_, message, about) => {
    const payload = JSON.stringify(message);
    expect(stage.known(payload).about).toEqual(about);
    expect(stage.replay(payload, 1)).toBe(payload);
  });

  it('is the same piece of work for every change of one kind to one record', () => {
    const id = (one: object) => stage.known(JSON.stringify({ change: { ...change, ...one } })).id;
    expect(id({ fields: {}, at: '2026-03-02T09:00:00Z' })).toBe(id({}));
    expect(new Set([id({}), id({ id: '52' }), id({ act: 'deleted' }), id({ object: 'Lead' })]).size).toBe(4);
  });

  it('traces what it is', () => {
    expect(stage.hop(stage.schema.parse({ change }))).toMatchObject({
      type: 'change',
      ids: { act: 'changed' },
    });
    expect(stage.hop({ probe: true })).toMatchObject({ type: 'probe' });
  });

  it('that is none of these is refused, with what was expected', () => {
    expect(() => stage.replay('{"probe":false}', 1)).toThrow('what to probe (probe: true; object, account)');
    expect(() => stage.replay(JSON.stringify({ change: { ...change, act: 'moved' } }), 1)).toThrow('change');
  });
});
