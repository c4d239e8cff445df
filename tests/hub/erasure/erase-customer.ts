import type { TestHub } from '../../support/open-test-hub.ts';

/** Erases the customer of an identifier and lets an hour pass. Resolves to the erasure as the API shows it. */
export const eraseCustomer = async ({ api, wait }: TestHub, customer: string) => {
  const { body } = await api('POST', '/erasures', { customer, by: 'ada' });
  await wait();
  return (await api('GET', `/erasures/${body.id}`)).body;
};
