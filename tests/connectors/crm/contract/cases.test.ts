import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callOf, caught, crms, idIn, type Workplace, workplace } from './crms.ts';

/** Cases and what is said in them, as each CRM has them. */
const places = {
  salesforce: {
    ...{ object: 'Case', link: 'ContactId', fields: { Subject: 'Broken' } },
    ...{ messages: 'CaseComment', parent: 'ParentId', text: 'CommentBody', more: {} },
    closing: { Status: 'Closed' },
  },
  hubspot: {
    ...{ object: 'tickets', link: 'contacts' },
    fields: { subject: 'Broken', hs_pipeline: '0', hs_pipeline_stage: '1' },
    ...{ messages: 'notes', parent: 'tickets', text: 'hs_note_body' },
    more: { hs_timestamp: '2026-03-01T09:00:00Z' },
    closing: { hs_pipeline_stage: '4' },
  },
  servicenow: {
    ...{ object: 'sn_customerservice_case', link: 'contact', fields: { short_description: 'Broken' } },
    ...{ messages: 'sn_customerservice_case', parent: 'sys_id', text: 'work_notes', more: {} },
    closing: { state: '3' },
  },
} as const;

describe.each(crms)('a case in $connector.title', (crm) => {
  const { key, names } = crm;
  const place = Object.entries(places).find(([id]) => id === crm.connector.id)?.[1] ?? places.salesforce;
  let at: Workplace;
  let contact: string;

  beforeEach(async () => {
    at = await workplace(crm);
    const [made] = await at.contacts([{ key: 'hub:a', fields: { [names.last]: 'A' } }]);
    contact = idIn(made);
  });
  afterEach(() => at.sandbox.stop());

  const open = async (...conversations: string[]): Promise<string[]> => {
    const links = { [place.link]: contact };
    const records = conversations.map((one) => ({ key: one, fields: place.fields, links }));
    return (await at.session.upsert(place.object, key, records, at.call)).map(idIn);
  };
  const say = (parent: string, ...texts: string[]) =>
    at.session.addChildren(
      place.messages,
      place.parent,
      texts.map((text, position) => ({
        ...{ key: `${parent}-${position}`, parent, fields: { ...place.more, [place.text]: text } },
      })),
      at.call,
    );
  const said = async (...ids: string[]): Promise<unknown[][]> => {
    const held = await at.session.children(place.messages, place.parent, ids, [place.text], at.call);
    return ids.map((id) => (held.get(id) ?? []).map(({ fields }) => fields[place.text]).toSorted());
  };

  it('is made by its conversation once, belongs to a contact, and is closed by its id', async () => {
    const [first] = await open('c1');
    expect(await open('c1')).toEqual([first]);
    const [record] = [...(await at.session.read(place.object, [first ?? ''], [key], at.call)).values()];
    expect(record).toMatchObject({ id: first, contact, fields: { [key]: 'c1' } });
    const closing = { key: 'c1', id: first ?? '', fields: place.closing };
    expect(idIn((await at.session.upsert(place.object, key, [closing], at.call))[0])).toBe(first);
    expect(at.sandbox.records(place.object)).toMatchObject([{ fields: place.closing }]);
  });

  it('has its own messages alone, also two that say the same', async () => {
    const [one = '', other = '', silent = ''] = await open('c1', 'c2', 'c3');
    for (const result of [...(await say(one, 'Hello', 'Hello')), ...(await say(other, 'Bye'))]) idIn(result);
    expect(await said(one, other, silent)).toEqual([['Hello', 'Hello'], ['Bye'], []]);
  });

  it('has a message whose answer was lost, and is seen to have it', async () => {
    const [one = ''] = await open('c1');
    const end = at.sandbox.fault({ kind: 'lost-response', object: place.messages });
    expect(await caught(say(one, 'Hello'))).toMatchObject({ scope: 'connection', why: 'down' });
    end();
    expect(await said(one)).toEqual([['Hello']]);
  });

  it('that was deleted takes no message, and the messages of others are written', async () => {
    const [one = '', other = ''] = await open('c1', 'c2');
    await at.session.remove(place.object, key, ['c1'], at.call);
    const fields = { ...place.more, [place.text]: 'Hello' };
    const results = await at.session.addChildren(
      place.messages,
      place.parent,
      [one, other].map((parent) => ({ key: parent, parent, fields })),
      callOf(),
    );
    const byKey = new Map(results.map((result) => [result.key, result]));
    expect(byKey.get(one)).toMatchObject({ fault: { scope: 'record', why: 'gone' } });
    idIn(byKey.get(other));
    expect(await said(other)).toEqual([['Hello']]);
  });

  it('is deleted with what was said in it', async () => {
    const [one = ''] = await open('c1');
    await say(one, 'Hello');
    const held = await at.session.children(place.messages, place.parent, [one], [], at.call);
    const ids = [...held.values()].flat().map(({ id }) => id);
    await at.session.removeChildren?.(place.messages, ids, at.call);
    await at.session.remove(place.object, key, ['c1'], at.call);
    const left = place.messages === 'sn_customerservice_case' ? 'sys_journal_field' : place.messages;
    expect(at.sandbox.records(left)).toEqual([]);
  });
});
