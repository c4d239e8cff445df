import { Signature } from '@hubspot/api-client';
import { describe, expect, it } from 'vitest';
import { OBJECTS, open, START, send, spec, WEBHOOK } from './open.ts';

describe('webhooks', () => {
  it('are signed, and tell people from the app', async () => {
    const { sandbox, webhooks, events } = await open();
    const id = sandbox.staff.create('contacts', { email: 'ada@example.com' });
    const [webhook] = webhooks;
    expect(webhook?.headers).toMatchObject({ 'X-HubSpot-Request-Timestamp': String(START) });
    expect(webhook?.headers['X-HubSpot-Signature-v3']).toBe(
      Signature.getSignature('POST', 'v3', {
        ...WEBHOOK,
        url: WEBHOOK.url,
        requestBody: String(webhook?.body),
        timestamp: START,
        signature: '',
      }),
    );
    expect(events()).toMatchObject([
      {
        subscriptionType: 'contact.creation',
        objectId: Number(id),
        changeSource: 'CRM_UI',
        changeFlag: 'NEW',
        occurredAt: START,
        attemptNumber: 0,
      },
      { subscriptionType: 'contact.propertyChange', propertyName: 'email', propertyValue: 'ada@example.com' },
    ]);
    await send(sandbox, 'PATCH', `${OBJECTS}/contacts/${id}`, { properties: { firstname: 'Ada' } });
    const [change] = events();
    expect(change).toMatchObject({
      changeSource: 'INTEGRATION',
      propertyName: 'firstname',
      propertyValue: 'Ada',
    });
    expect(change?.['sourceId']).toBe(String(change?.['appId']));
    await send(sandbox, 'PATCH', `${OBJECTS}/contacts/${id}`, { properties: { firstname: 'Ada' } });
    expect(events()).toEqual([]);
  });

  it('follow what staff do', async () => {
    const { sandbox, events } = await open();
    const { staff } = sandbox;
    const id = staff.create('contacts', { email: 'ada@example.com' });
    staff.update('contacts', { email: 'ada@example.com' }, { firstname: 'Ada' });
    staff.delete('contacts', { id });
    staff.restore('contacts', id);
    expect(events().map(({ subscriptionType }) => subscriptionType)).toEqual([
      'contact.creation',
      'contact.propertyChange',
      'contact.propertyChange',
      'contact.deletion',
      'contact.restore',
    ]);
    staff.import('contacts', [{ email: 'eve@example.com' }]);
    expect(events()[0]).toMatchObject({ subscriptionType: 'contact.creation', changeSource: 'IMPORT' });
    staff.merge('contacts', { id }, { email: 'eve@example.com' });
    staff.erase({ email: 'ada@example.com' });
    expect(events().map(({ subscriptionType }) => subscriptionType)).toEqual([
      'contact.merge',
      'contact.deletion',
      'contact.privacyDeletion',
    ]);
    expect(sandbox.records('contacts')).toEqual([]);
    expect(() => staff.delete('contacts', { id })).toThrow('0 contacts');
    expect(() => staff.create('contacts', { email: 'nonsense' })).toThrow('INVALID_EMAIL');
  });

  it('have at most 100 events', async () => {
    const { sandbox, webhooks } = await open();
    const inputs = Array.from({ length: 60 }, (_, index) => ({
      properties: { email: `${index}@example.com` },
    }));
    await send(sandbox, 'POST', `${OBJECTS}/contacts/batch/create`, { inputs });
    expect(webhooks.map(({ body }) => JSON.parse(body).length)).toEqual([100, 20]);
  });

  it('report an association from both sides, and activities in the generic form only', async () => {
    const { sandbox, events } = await open({
      webhook: { ...WEBHOOK, objects: ['contacts', 'tickets', 'notes'] },
    });
    const to = { id: sandbox.seed('contacts', { email: 'ada@example.com' }) };
    await send(sandbox, 'POST', `${OBJECTS}/tickets`, {
      properties: { subject: 'Help', hs_pipeline_stage: '1' },
      associations: [{ to, types: [spec(16)] }],
    });
    expect(
      events().filter(({ subscriptionType }) => String(subscriptionType).endsWith('associationChange')),
    ).toMatchObject([
      {
        subscriptionType: 'ticket.associationChange',
        associationType: 'TICKET_TO_CONTACT',
        associationRemoved: false,
      },
      {
        subscriptionType: 'contact.associationChange',
        associationType: 'CONTACT_TO_TICKET',
        objectId: Number(to.id),
      },
    ]);
    await send(sandbox, 'POST', `${OBJECTS}/notes`, { properties: { hs_timestamp: '1772366400000' } });
    expect(events()[0]).toMatchObject({ subscriptionType: 'object.creation', objectTypeId: '0-46' });
  });
});
