import { describe, expect, it } from 'vitest';
import { decodeWith } from '../../support/decode.ts';

const stripe = async (type: string, object: Readonly<Record<string, unknown>>) => {
  const event = { id: `evt_${type}`, type, created: 1_772_442_000, data: { object } };
  const { interactions, ignored } = await decodeWith('stripe', event);
  return { interactions, ignored, order: interactions[0]?.properties };
};
const shopify = async (topic: string, payload: Readonly<Record<string, unknown>>) => {
  const headers = { 'x-shopify-topic': topic, 'x-shopify-event-id': 'ev', 'x-shopify-webhook-id': 'wh' };
  const { interactions } = await decodeWith('shopify', payload, headers);
  return { one: interactions[0], order: interactions[0]?.properties };
};

describe('an order of Stripe', () => {
  const money = { amount: 2000, currency: 'gbp' };

  it('is one purchase in its charge, intent and session', async () => {
    const charge = { ...money, object: 'charge', id: 'ch_1', payment_intent: 'pi_1' };
    const session = { object: 'checkout.session', id: 'cs_1', amount_total: 2000, currency: 'gbp' };
    const orders = await Promise.all([
      stripe('charge.succeeded', charge),
      stripe('payment_intent.succeeded', { ...money, object: 'payment_intent', id: 'pi_1' }),
      stripe('checkout.session.completed', { ...session, payment_intent: { id: 'pi_1' } }),
      stripe('charge.failed', { ...charge, id: 'ch_2', failure_message: 'declined' }),
      stripe('charge.dispute.created', {
        ...money,
        object: 'dispute',
        charge: 'ch_1',
        payment_intent: 'pi_1',
      }),
    ]);
    expect(orders.map(({ order }) => [order?.['order'], order?.['status'], order?.['total']])).toEqual(
      ['paid', 'paid', 'completed', 'failed', 'disputed'].map((status) => ['pi_1', status, 20]),
    );
    expect(orders[4]?.interactions[0]?.refersTo).toBe('ch_1');
  });

  it('of a subscription is one purchase in its invoice, intent and session, whatever the version of the API', async () => {
    const [intent, charge] = [
      { object: 'payment_intent', id: 'pi_1' },
      { object: 'charge', id: 'ch_1' },
    ];
    const sale = { object: 'checkout.session', id: 'cs_1', mode: 'subscription', invoice: 'in_1' };
    const invoice = { object: 'invoice', id: 'in_1', amount_paid: 2000, currency: 'gbp' };
    const session = { ...sale, subscription: 'sub_1', amount_total: 2000, currency: 'gbp' };
    const details = { subscription_details: { subscription: 'sub_1' } };
    const newer = await Promise.all([
      stripe('charge.succeeded', {
        ...{ ...money, ...charge, payment_intent: 'pi_1', description: 'Subscription creation' },
      }),
      stripe('payment_intent.succeeded', {
        ...{ ...money, ...intent, payment_details: { order_reference: 'in_1' } },
      }),
      stripe('invoice.paid', { ...invoice, parent: details }),
      stripe('checkout.session.completed', session),
    ]);
    expect(newer.map(({ order }) => [order?.['order'], order?.['status'], order?.['subscription']])).toEqual([
      ['pi_1', 'changed', undefined],
      ['in_1', 'paid', undefined],
      ['in_1', 'paid', 'sub_1'],
      ['in_1', 'completed', 'sub_1'],
    ]);
    const older = await Promise.all([
      stripe('charge.succeeded', {
        ...money,
        ...charge,
        invoice: 'in_1',
        description: 'Subscription creation',
      }),
      stripe('payment_intent.succeeded', { ...money, ...intent, invoice: 'in_1' }),
      stripe('invoice.paid', { ...invoice, subscription: 'sub_1' }),
    ]);
    expect(older.map(({ order }) => [order?.['order'], order?.['status']])).toEqual(
      older.map(() => ['in_1', 'paid']),
    );
    const trial = await stripe('checkout.session.completed', { ...session, invoice: null });
    expect(trial.order?.['order']).toBe('sub_1');
  });

  it('keeps the intent as its name where a reference of the business is no invoice', async () => {
    const intent = { ...money, object: 'payment_intent', id: 'pi_1' };
    const { order } = await stripe('payment_intent.succeeded', {
      ...{ ...intent, payment_details: { order_reference: 'PO-7' } },
    });
    expect(order?.['order']).toBe('pi_1');
  });

  it('has the name that the business gives the subscription in its metadata', async () => {
    const parent = { subscription_details: { subscription: 'sub_1', metadata: { order_id: 'A5' } } };
    const { order } = await stripe('invoice.paid', { object: 'invoice', id: 'in_1', metadata: {}, parent });
    expect(order?.['order']).toBe('A5');
  });

  it('has the name that the business gives it in the metadata', async () => {
    const named = {
      ...money,
      object: 'charge',
      id: 'ch_1',
      payment_intent: 'pi_1',
      metadata: { order_id: 5 },
    };
    expect((await stripe('charge.succeeded', named)).order).toMatchObject({ order: '5' });
  });

  it.each([
    ['jpy', 500, 500],
    ['ugx', 500, 5],
    ['isk', 500, 5],
    ['kwd', 12_340, 12.34],
    ['EUR', 1999, 19.99],
  ])('in %s counts %d as %d', async (currency, amount, total) => {
    const { order } = await stripe('charge.succeeded', { object: 'charge', id: 'ch', amount, currency });
    expect(order).toMatchObject({ total, currency: currency.toUpperCase() });
  });

  it('is not complete before a slow payment, and storing a card is none', async () => {
    const session = { object: 'checkout.session', id: 'cs_1' };
    const slow = await stripe('checkout.session.completed', { ...session, payment_status: 'unpaid' });
    expect(slow.order?.['status']).toBe('created');
    const card = await stripe('checkout.session.completed', { ...session, mode: 'setup' });
    expect(card.interactions[0]?.kind).toBe('behaviour');
  });

  it('brings the answer to the question about promotions', async () => {
    const session = {
      object: 'checkout.session',
      id: 'cs_1',
      customer_details: { email: 'ada@example.com' },
    };
    const answers = await Promise.all(
      ['opt_in', 'opt_out', null].map((promotions) =>
        stripe('checkout.session.completed', { ...session, consent: { promotions } }),
      ),
    );
    expect(answers.map(({ interactions }) => interactions.slice(1))).toMatchObject([
      [{ kind: 'opt-in', channel: 'email', claimed: ['email:ada@example.com'] }],
      [{ kind: 'opt-out', properties: { scope: 'marketing' } }],
      [],
    ]);
  });
});

describe('an order of Shopify', () => {
  const payload = { id: 5, name: '#1005', total_price: '20.50', currency: 'gbp', note: ' Ring twice ' };

  it.each([
    ['orders/create', 'created'],
    ['orders/paid', 'paid'],
    ['orders/updated', 'changed'],
    ['orders/edited', 'changed'],
    ['orders/fulfilled', 'shipped'],
    ['orders/cancelled', 'cancelled'],
  ])('%s is %s', async (topic, status) => {
    const { one, order } = await shopify(topic, payload);
    expect(order).toMatchObject({ status, order: '5', total: 20.5, currency: 'GBP' });
    expect(one).toMatchObject({ kind: 'order', text: 'Ring twice' });
  });

  it('is named by its shipments and refunds', async () => {
    const shipment = { id: 9, order_id: 5, shipment_status: 'delivered' };
    expect((await shopify('fulfillments/update', shipment)).order).toMatchObject({
      status: 'delivered',
      order: '5',
    });
    const transactions = [
      { amount: '3.10', currency: 'GBP', kind: 'refund' },
      { amount: '1.20', kind: 'void' },
    ];
    const refund = await shopify('refunds/create', { id: 8, order_id: 5, transactions });
    expect(refund.order).toMatchObject({ status: 'refunded', order: '5', total: 3.1, currency: 'GBP' });
    expect(refund.one?.refersTo).toBe('5');
  });

  it('begins as a cart, of a visitor whom its token names, or as a checkout', async () => {
    const lines = [{ price: '2.50', quantity: 3, price_set: { shop_money: { currency_code: 'GBP' } } }];
    const cart = await shopify('carts/update', { id: 'tok', token: 'tok', line_items: lines });
    expect(cart.one).toMatchObject({ kind: 'behaviour', identifiers: ['anonymous:tok'] });
    expect(cart.order).toMatchObject({ name: 'cart_updated', total: 7.5, currency: 'GBP' });
    const checkout = { id: 7, token: 'c', cart_token: 'tok', email: 'ada@example.com', total_price: '8.00' };
    const begun = await shopify('checkouts/update', checkout);
    expect(begun.one?.identifiers).toEqual(['email:ada@example.com']);
    expect(begun.order).toMatchObject({ name: 'cart_updated', total: 8 });
    const done = await shopify('checkouts/update', { ...checkout, completed_at: '2026-03-02T09:00:00Z' });
    expect(done.order).toMatchObject({ name: 'checkout_completed' });
  });
});

it('an order of Segment has a number as its total and names the purchase', async () => {
  const properties = { order_id: '50314e', total: '27.50', revenue: 25, currency: 'usd' };
  const { interactions } = await decodeWith('segment', {
    ...{ type: 'track', messageId: 'm', userId: 'u', event: 'Order Updated', properties },
  });
  expect(interactions[0]?.properties).toMatchObject({
    ...{ status: 'changed', order: '50314e', total: 27.5, currency: 'USD' },
  });
});
