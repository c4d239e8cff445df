import { afterEach, expect, it } from 'vitest';
import { type Crm, crmIds, type FullCrm, openFullCrm } from '../../support/crm/full-crm.ts';
import { type LossyProxy, openLossyProxy } from '../../support/crm/lossy-proxy.ts';

const MINUTE = 60_000;

let full: FullCrm;
let proxy: LossyProxy;
afterEach(async () => {
  await full.close();
  await proxy.stop();
});

const open = async (crm: Crm): Promise<void> => {
  full = await openFullCrm(crm);
  proxy = await openLossyProxy(full.sandbox.url);
  const { secret } = full.sandbox;
  const urls = { salesforce: 'loginUrl', hubspot: 'baseUrl', servicenow: 'instanceUrl' };
  await full.hub.setSecret(`crm/${crm}`, { ...secret, [urls[crm]]: proxy.url });
};

/** The activities of a contact. */
const activitiesOf = (crm: Crm, contact: string): readonly string[] => {
  if (crm === 'hubspot')
    return full.sandbox
      .records('emails')
      .flatMap(({ id }) =>
        full.hub.crms.hubspot.associated('emails', id, 'contacts').includes(contact) ? [id] : [],
      );
  const [object, link] = crm === 'salesforce' ? ['Task', 'WhoId'] : ['interaction', 'contact'];
  return full.sandbox
    .records(object ?? '')
    .flatMap(({ id, fields }) => (fields[link ?? ''] === contact ? [id] : []));
};

/** A small day: somebody whom the CRM knows and somebody whom it does not both write twice, the second time with a name. */
const day = async (name: string): Promise<void> => {
  full.seed({ email: `Known.${name}@Example.com`, last: `Known ${name}` });
  const addresses = [`known.${name}@example.com`, `new.${name}@example.com`];
  full.write(
    addresses.map((one) => `email:${one}`),
    'first',
  );
  await full.hub.wait(3 * MINUTE);
  for (const address of addresses)
    full.hub.sendInteraction({
      ...{
        key: `second ${address}`,
        channel: 'email',
        provider: 'ses',
        text: 'second',
        identifiers: [`email:${address}`],
      },
      profile: { name: { first: 'Ada', last: `Named ${name}` } },
    });
  await full.hub.wait(3 * MINUTE);
};

const endOf = async (crm: Crm, name: string): Promise<object> => {
  const found = full
    .contacts()
    .filter(({ fields }) =>
      String(fields[full.fieldOf('email')]).toLowerCase().endsWith(`.${name}@example.com`),
    );
  const keys = await Promise.all(
    ['known', 'new'].map(
      async (who) => `acme:${(await full.customer(`email:${who}.${name}@example.com`)).id}`,
    ),
  );
  return found.map(({ id, fields }) => ({
    isKeyed: keys.includes(String(fields[full.fieldOf('key')])),
    first: fields[full.fieldOf('first')],
    last: String(fields[full.fieldOf('last')]).replace(name, 'somebody'),
    activities: activitiesOf(crm, id).length,
  }));
};

it.each(crmIds)('the day of %s ends the same, whichever answer is lost', async (crm) => {
  await open(crm);
  await day('warm');
  const before = proxy.requests.length;
  await day('whole');
  const requests = proxy.requests.slice(before).filter((one) => !one.includes('oauth'));
  const whole = await endOf(crm, 'whole');
  for (let number = 1; number <= requests.length; number++) {
    const name = `lost${number}`;
    proxy.lose(number);
    await day(name);
    expect(proxy.hasLost(), name).toBe(true);
    expect(await endOf(crm, name), `without the answer to ${requests[number - 1]}`).toEqual(whole);
  }
  expect(await full.trouble()).toEqual([]);
});
