import { FilterOperatorEnum } from '@hubspot/api-client/lib/codegen/crm/contacts/models/Filter.js';
import { describe, expect, it } from 'vitest';
import { clientOf, open, SMS, spec } from './open.ts';

describe("HubSpot's own client", () => {
  it('makes, reads, changes, finds and deletes records', async () => {
    const { sandbox } = await open();
    const { contacts } = clientOf(sandbox).crm;
    const made = await contacts.basicApi.create({
      properties: { email: 'Ada@Example.com', firstname: 'Ada', phone: '+49 30 123456', vip: 'true' },
    });
    expect(made.properties).toMatchObject({
      email: 'ada@example.com',
      lifecyclestage: 'lead',
      hs_searchable_calculated_phone_number: '30123456',
    });
    await contacts.basicApi.update(made.id, { properties: { lifecyclestage: 'customer', firstname: '' } });
    const back = await contacts.basicApi.update(made.id, { properties: { lifecyclestage: 'lead' } });
    expect(back.properties['lifecyclestage']).toBe('customer');
    const read = await contacts.batchApi.read({
      inputs: [{ id: 'ADA@example.com' }],
      idProperty: 'email',
      properties: ['firstname', 'vip', 'nobody_knows_this'],
      propertiesWithHistory: ['lifecyclestage'],
    });
    expect(read.results[0]?.properties).toMatchObject({ firstname: null, vip: 'true' });
    expect(read.results[0]?.propertiesWithHistory?.['lifecyclestage']?.[0]?.value).toBe('customer');
    const found = await contacts.searchApi.doSearch({
      filterGroups: [
        {
          filters: [
            {
              propertyName: 'hs_searchable_calculated_phone_number',
              operator: FilterOperatorEnum.Eq,
              value: '30123456',
            },
          ],
        },
      ],
    });
    expect(found.results.map(({ id }) => id)).toEqual([made.id]);
    await contacts.basicApi.archive(made.id);
    await expect(contacts.basicApi.getById(made.id)).rejects.toMatchObject({ code: 404 });
    expect((await contacts.basicApi.getById(made.id, undefined, undefined, undefined, true)).archived).toBe(
      true,
    );
  });

  it('adds to several options, or sets them anew', async () => {
    const { sandbox } = await open();
    const { tickets } = clientOf(sandbox).crm;
    const set = async (id: string, category: string) =>
      (await tickets.basicApi.update(id, { properties: { hs_ticket_category: category } })).properties[
        'hs_ticket_category'
      ];
    const ticket = await tickets.basicApi.create({
      properties: { subject: 'Help', hs_pipeline_stage: '1', hs_ticket_category: 'BILLING_ISSUE' },
    });
    expect(await set(ticket.id, ';PRODUCT_ISSUE')).toBe('BILLING_ISSUE;PRODUCT_ISSUE');
    expect(await set(ticket.id, 'FEATURE_REQUEST')).toBe('FEATURE_REQUEST');
  });

  it('upserts by a unique property and associates afterwards, as often as it likes', async () => {
    const { sandbox } = await open();
    const { crm } = clientOf(sandbox);
    const upsert = (firstname: string) =>
      crm.contacts.batchApi.upsert({
        inputs: [{ id: 'hub-1', idProperty: 'hub_id', properties: { firstname } }],
      });
    const first = await upsert('Ada');
    const second = await upsert('Ada Maria');
    const contact = String(second.results[0]?.id);
    expect([first.results[0]?._new, second.results[0]?._new]).toEqual([true, false]);
    expect(first.results[0]?.id).toBe(contact);
    const made = await crm.objects.communications.batchApi.create({ inputs: [{ properties: SMS }] });
    const message = String(made.results[0]?.id);
    for (const _ of ['once', 'again'])
      await crm.associations.v4.batchApi.create('communications', 'contacts', {
        inputs: [{ _from: { id: message }, to: { id: contact }, types: [spec(81)] }],
      });
    const there = await crm.associations.v4.batchApi.getPage('contacts', 'communications', {
      inputs: [{ id: contact }],
    });
    expect(there.results[0]?.to.map(({ toObjectId }) => String(toObjectId))).toEqual([message]);
    expect(sandbox.associated('contacts', contact, 'communications')).toEqual([message]);
  });

  it('merges into a new record, to which the old ids lead', async () => {
    const { sandbox, events } = await open();
    const { contacts } = clientOf(sandbox).crm;
    const keep = sandbox.seed('contacts', { email: 'ada@example.com' });
    const other = sandbox.seed('contacts', { email: 'ada@example.org', phone: '+4930123456' });
    const merged = await contacts.basicApi.merge({ primaryObjectId: keep, objectIdToMerge: other });
    expect([keep, other]).not.toContain(merged.id);
    expect(merged.properties).toMatchObject({
      email: 'ada@example.com',
      hs_additional_emails: 'ada@example.org',
      phone: '+4930123456',
    });
    for (const id of [keep, other]) expect((await contacts.basicApi.getById(id)).id).toBe(merged.id);
    expect(events()[0]).toMatchObject({
      subscriptionType: 'contact.merge',
      objectId: Number(keep),
      primaryObjectId: Number(keep),
      mergedObjectIds: [Number(other)],
      newObjectId: Number(merged.id),
    });
    await expect(
      contacts.basicApi.create({ properties: { email: 'ada@example.org' } }),
    ).rejects.toMatchObject({ code: 409 });
  });

  it('merges into the primary record, where the account keeps its id', async () => {
    const { sandbox } = await open({ keepsPrimaryId: true });
    const { contacts } = clientOf(sandbox).crm;
    const keep = sandbox.seed('contacts', { email: 'ada@example.com' });
    const other = sandbox.seed('contacts', { email: 'ada@example.org' });
    const merged = await contacts.basicApi.merge({ primaryObjectId: keep, objectIdToMerge: other });
    expect(merged).toMatchObject({ id: keep, properties: { hs_merged_object_ids: other } });
    expect((await contacts.basicApi.getById(other)).id).toBe(keep);
  });

  it('defines properties', async () => {
    const { sandbox } = await open();
    const { properties } = clientOf(sandbox).crm;
    const { PropertyCreateTypeEnum, PropertyCreateFieldTypeEnum } = await import(
      '@hubspot/api-client/lib/codegen/crm/properties/models/PropertyCreate.js'
    );
    const wanted = {
      name: 'hub_message',
      label: 'Message',
      groupName: 'communicationinformation',
      type: PropertyCreateTypeEnum.String,
      fieldType: PropertyCreateFieldTypeEnum.Text,
      hasUniqueValue: true,
    };
    await properties.coreApi.create('communications', wanted);
    await expect(properties.coreApi.create('communications', wanted)).rejects.toMatchObject({ code: 409 });
    expect((await properties.coreApi.getByName('communications', 'hub_message')).hasUniqueValue).toBe(true);
    await properties.coreApi.update('communications', 'hub_message', { label: 'Message of the hub' });
    expect((await properties.coreApi.getAll('communications')).results).toContainEqual(
      expect.objectContaining({ name: 'hub_message', label: 'Message of the hub' }),
    );
    await properties.groupsApi.create('communications', { name: 'hub', label: 'Hub' });
    expect((await properties.groupsApi.getAll('communications')).results.map(({ name }) => name)).toContain(
      'hub',
    );
    await properties.coreApi.archive('communications', 'hub_message');
    await expect(properties.coreApi.getByName('communications', 'hub_message')).rejects.toMatchObject({
      code: 404,
    });
  });
});
