import { describe, expect, it } from 'vitest';
import { mappingOf } from '../../../connectors/registry.ts';
import { valueDigest } from '../../../core/crm/change.ts';
import { HUB_CLIENT } from '../../../core/crm/connector.ts';
import { deliveryOf } from '../../../functions/record/messages/decode.ts';
import { decodeWith } from '../../support/decode.ts';

const at = '2026-03-02T08:59:00.000Z';
const occurredAt = Date.parse(at);

describe('HubSpot reports a change of a contact', () => {
  const changes = async (event: object) => {
    const common = { eventId: 1, subscriptionId: 2, occurredAt, objectId: 51, changeSource: 'CRM_UI' };
    const { interactions } = await decodeWith('hubspot', [{ ...common, ...event }]);
    return interactions.map(({ change }) => change);
  };
  const contact = { object: 'contacts', id: '51', at, fields: {}, merged: [] };

  it.each([
    ['creation', 'created'],
    ['deletion', 'deleted'],
    ['privacyDeletion', 'erased'],
    ['restore', 'restored'],
  ])('%s is %s', async (type, act) => {
    expect(await changes({ subscriptionType: `contact.${type}` })).toEqual([{ ...contact, act }]);
    expect(await changes({ subscriptionType: `object.${type}`, objectTypeId: '0-1' })).toEqual([
      { ...contact, act },
    ]);
  });

  it('with the digest of a property, never its value', async () => {
    const event = {
      subscriptionType: 'contact.propertyChange',
      propertyName: 'email',
      propertyValue: 'ada@example.com',
    };
    expect(await changes(event)).toEqual([
      { ...contact, act: 'changed', fields: { email: valueDigest('ada@example.com') } },
    ]);
    expect(await changes({ ...event, propertyValue: null })).toMatchObject([{ fields: { email: '' } }]);
  });

  it('with the ids that merged contacts had, under the new one where there is one', async () => {
    const merge = { subscriptionType: 'contact.merge', primaryObjectId: 1, mergedObjectIds: [2] };
    expect(await changes({ ...merge, newObjectId: 4, objectId: null })).toEqual([
      { ...contact, id: '4', act: 'merged', merged: ['1', '2'] },
    ]);
    expect(await changes({ ...merge, objectId: 1 })).toMatchObject([{ id: '1', merged: ['2'] }]);
  });

  it('never as its own: any connected app may have made it', async () => {
    const event = { subscriptionType: 'contact.creation', changeSource: 'INTEGRATION', sourceId: '54321' };
    expect(await changes(event)).toEqual([{ ...contact, act: 'created' }]);
  });

  it('but not of a deal, a ticket or an association', async () => {
    const association = { associationType: 'CONTACT_TO_TICKET', fromObjectId: 51, toObjectId: 7 };
    expect(await changes({ subscriptionType: 'deal.creation' })).toEqual([undefined]);
    expect(await changes({ subscriptionType: 'contact.associationChange', ...association })).toEqual([
      undefined,
    ]);
  });
});

describe('Salesforce reports a change of a contact', () => {
  const decode = (detail: object, type = 'ContactChangeEvent') => {
    const message = {
      ...{ type: 'delivery' as const, id: 'one', provider: 'salesforce', receivedAt: at },
      request: { method: 'EVENT', url: '', headers: {} },
    };
    const event = { id: 'e', 'detail-type': type, source: 'aws.partner/salesforce.com/x', time: at, detail };
    return mappingOf('salesforce')?.decode(deliveryOf(message, Buffer.from(JSON.stringify(event))));
  };
  const changed = async (changeType: string, fields: object = {}, header: object = {}) => {
    const ChangeEventHeader = {
      ...{ entityName: 'Contact', recordIds: ['003A'], changeType, transactionKey: 't', sequenceNumber: 1 },
      ...{ commitTimestamp: occurredAt, ...header },
    };
    return decode({ payload: { ChangeEventHeader, ...fields } });
  };
  const changes = async (...given: Parameters<typeof changed>) =>
    (await changed(...given))?.interactions.map(({ change }) => change);
  const contact = { object: 'Contact', id: '003A', at, fields: {}, merged: [] };

  it.each([
    ['CREATE', 'created'],
    ['UPDATE', 'changed'],
    ['DELETE', 'deleted'],
    ['UNDELETE', 'restored'],
    ['GAP_CREATE', 'created'],
    ['GAP_UPDATE', 'changed'],
    ['GAP_DELETE', 'deleted'],
    ['GAP_UNDELETE', 'restored'],
  ])('%s is %s', async (type, act) => {
    expect(await changes(type)).toEqual([{ ...contact, act }]);
  });

  it('with digests of its fields, parts of names and addresses under their own names', async () => {
    const fields = { Email: 'ada@example.com', Name: { FirstName: 'Ada' }, MailingAddress: { City: 'Rome' } };
    const nulledFields = ['Title', 'Name.LastName', 'MailingAddress.Street'];
    expect(await changes('UPDATE', fields, { nulledFields })).toEqual([
      {
        ...{ ...contact, act: 'changed' },
        fields: {
          ...{ Email: valueDigest('ada@example.com'), FirstName: valueDigest('Ada') },
          ...{ MailingCity: valueDigest('Rome'), Title: '', LastName: '', MailingStreet: '' },
        },
      },
    ]);
  });

  it('of each record of one event', async () => {
    const found = await changes('UPDATE', {}, { recordIds: ['003A', '003B'] });
    expect(found).toMatchObject([{ id: '003A' }, { id: '003B' }]);
  });

  it('as the hub’s own where the hub’s client made it; what the hub logged is ignored', async () => {
    const changeOrigin = `com/salesforce/api/rest/65.0;client=${HUB_CLIENT}`;
    expect(await changes('UPDATE', {}, { changeOrigin })).toEqual([
      { ...contact, act: 'changed', own: true },
    ]);
    expect(await changes('UPDATE', {}, { changeOrigin: 'com/x;client=Dataloader' })).toMatchObject([
      { id: '003A' },
    ]);
    expect(await changed('CREATE', {}, { changeOrigin, entityName: 'Task' })).toEqual({
      interactions: [],
      ignored: ['own-change'],
    });
  });

  it('but not of a case, and not by an event of the org’s own', async () => {
    expect(await changes('UPDATE', { ContactId: '003A' }, { entityName: 'Case' })).toEqual([undefined]);
    const published = await decode({ payload: { Email__c: 'ada@example.com' } }, 'Order__e');
    expect(published?.interactions.map(({ change }) => change)).toEqual([undefined]);
  });

  it('by an outbound message, with digests of the fields that it sends', async () => {
    const body = `<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body><notifications xmlns="http://soap.sforce.com/2005/09/outbound"><Notification><Id>n1</Id><sObject xsi:type="sf:Contact" xmlns:sf="urn:sobject.enterprise.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><sf:Id>003A</sf:Id><sf:Title>Buyer</sf:Title></sObject></Notification></notifications></soapenv:Body></soapenv:Envelope>`;
    const { interactions } = await decodeWith('salesforce', body);
    expect(interactions.map(({ change }) => change)).toEqual([
      { object: 'Contact', id: '003A', act: 'changed', fields: { Title: valueDigest('Buyer') }, merged: [] },
    ]);
  });
});
