import { describe, expect, it } from 'vitest';
import { deliver } from './vendor.ts';

// An order of a chat has what an order of a shop has: a status of the list, the name of the purchase, a total in major units.

const orderOf = async (provider: string, body: unknown) => {
  const [order] = (await deliver({ provider }, JSON.stringify(body))).interactions;
  expect(order?.kind).toBe('order');
  const { status, order: name, total, currency } = order?.properties ?? {};
  return [status, name, total, currency];
};
const at = 1_772_442_000;

describe('an order', () => {
  const whatsapp = (value: object) => ({
    object: 'whatsapp_business_account',
    entry: [{ id: '1', changes: [{ field: 'messages', value }] }],
  });

  it('of WhatsApp: a cart is created, and a payment is paid once it was captured', async () => {
    const product_items = [
      { product_retailer_id: 'a', quantity: 2, item_price: 3.1, currency: 'EUR' },
      { product_retailer_id: 'b', quantity: '1', item_price: '4', currency: 'EUR' },
    ];
    const cart = {
      id: 'm1',
      from: '14155550100',
      timestamp: at,
      type: 'order',
      order: { catalog_id: 'c', product_items },
    };
    expect(await orderOf('meta', whatsapp({ messages: [cart] }))).toEqual(['created', 'm1', 10.2, 'EUR']);
    const payment = { reference_id: 'o7', amount: { value: 1050, offset: 100 }, currency: 'INR' };
    const paid = (status: string) => ({
      statuses: [{ id: 's1', type: 'payment', status, timestamp: at, recipient_id: '14155550100', payment }],
    });
    for (const [stage, status] of [
      ['captured', 'paid'],
      ['failed', 'failed'],
      ['pending', 'changed'],
      ['constructor', 'changed'],
    ] as const)
      expect(await orderOf('meta', whatsapp(paid(stage)))).toEqual([status, 'o7', 10.5, 'INR']);
  });

  it.each([
    ['GBP', 850, 8.5],
    ['JPY', 850, 850],
    ['XTR', 850, 850],
  ])('of Telegram in %s', async (currency, total_amount, total) => {
    const payment = { currency, total_amount, invoice_payload: 'cake', telegram_payment_charge_id: 'ch' };
    const said = { message_id: 3, date: at, chat: { id: 7, type: 'private' }, from: { id: 7 } };
    const message = { ...said, successful_payment: payment };
    expect(await orderOf('telegram', { update_id: 1, message })).toEqual(['paid', 'ch', total, currency]);
    const refunded = { ...said, refunded_payment: payment };
    expect(await orderOf('telegram', { update_id: 2, message: refunded })).toEqual([
      ...['refunded', 'ch', total, currency],
    ]);
  });

  it.each([
    ['ENTITLEMENT_CREATE', 'paid'],
    ['ENTITLEMENT_UPDATE', 'changed'],
    ['ENTITLEMENT_DELETE', 'cancelled'],
  ])('of Discord: %s', async (type, status) => {
    const data = { id: 'e1', user_id: '80351110224678912', sku_id: 's' };
    const event = { type, timestamp: '2026-03-02T09:00:00Z', data };
    expect((await orderOf('discord', { version: 1, type: 1, event })).slice(0, 2)).toEqual([status, 'e1']);
  });
});
