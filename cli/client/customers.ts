import * as z from 'zod';
import { type HubConnection, request } from './request.ts';

const Name = z.looseObject({
  full: z.string().optional(),
  first: z.string().optional(),
  last: z.string().optional(),
});

/** A customer with everything that the hub stores of them; the fields that the command line does not read stay as they are. */
const Customer = z.looseObject({
  id: z.string(),
  identifiers: z.array(z.string()),
  claimed: z.array(z.string()).optional(),
  guests: z.array(z.looseObject({ id: z.string(), claimed: z.array(z.string()) })).optional(),
  name: Name.optional(),
});
export type Customer = z.infer<typeof Customer>;

/** A customer as the lists show them. */
const CustomerSummary = z.looseObject({
  id: z.string(),
  name: Name.optional(),
  identifiers: z.array(z.string()),
  conversation: z
    .looseObject({
      state: z.string(),
      lastAt: z.string(),
      channels: z.array(z.string()),
      waitingSince: z.string().optional(),
    })
    .optional(),
});
export type CustomerSummary = z.infer<typeof CustomerSummary>;

const CustomerPage = z.object({ items: z.array(CustomerSummary), next: z.string().optional() });
/** `why`: the decision in a sentence, with its proof. */
const LedgerEntry = z.looseObject({ type: z.string(), id: z.string(), at: z.string(), why: z.string() });
const Ledger = z.object({ items: z.array(LedgerEntry) });

/** `identifier`: `type:value`. */
export const findCustomer = (hub: HubConnection, identifier: string): Promise<Customer> =>
  request(hub, { method: 'GET', path: ['customers'], query: { identifier } }, Customer);

export const CUSTOMERS_PER_PAGE = 100;

/** One page of at most `limit` customers (up to `CUSTOMERS_PER_PAGE`). `list.name`: the beginning of a name. */
export const listCustomers = (
  hub: HubConnection,
  list: 'recent' | 'waiting' | { readonly name: string },
  limit: number,
  cursor?: string,
): Promise<z.infer<typeof CustomerPage>> =>
  request(
    hub,
    {
      method: 'GET',
      path: ['customers'],
      query: { ...(typeof list === 'string' ? { [list]: '' } : list), limit: String(limit), cursor },
    },
    CustomerPage,
  );

/** Every decision about who the customer is, oldest first. */
export const getLedger = (hub: HubConnection, id: string): Promise<z.infer<typeof Ledger>> =>
  request(hub, { method: 'GET', path: ['customers', id, 'ledger'] }, Ledger);
