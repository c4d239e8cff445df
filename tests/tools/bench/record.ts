import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { type Interaction, interactionId } from '../../../core/interaction/interaction.ts';
import { peopleStore } from '../../../functions/aws/customers/people-store.ts';
import { hashedKeysUnder } from '../../../functions/aws/erasure/hashed-keys.ts';
import type { Work } from '../../../functions/contracts/work.ts';
import { record } from '../../../functions/record/record.ts';
import { noPause } from '../../support/no-pause.ts';
import { openTestTable, type Spent, type TestTable } from '../../support/open-test-table.ts';
import type { Measured } from './measured.ts';

export const loadHashedKeys = async () => hashedKeysUnder('a key of the bench');

/** `record` on a table alone, which must take everything. */
export const recorder = ({ rows, runtime }: Pick<TestTable, 'rows' | 'runtime'>) => {
  const identity = IdentityConfig.parse({});
  const store = peopleStore(rows, loadHashedKeys);
  const use = record<{ id: string; work: Work }>({
    decode: async ({ work }) => ({ works: [work], events: [] }),
    identity: async () => identity,
    silence: async () => 72 * 3_600_000,
    load: (works) => store.load(works, identity),
    commit: (changes, loaded) => store.commit(changes, loaded, identity, 1000),
    keepFiles: async () => {},
    removeFiles: async () => {},
    publish: async (events) => events.map(() => true),
    refuse: async () => {},
    newId: runtime.newId,
    pausing: noPause,
  });
  return async (works: readonly Work[]): Promise<void> => {
    const failed = await use(works.map((work) => ({ id: work.message, work })));
    if (failed.size > 0) throw new Error(`${failed.size} interactions could not be recorded.`);
  };
};

/** Something that was said by whoever holds these identifiers. */
export const said = (key: string, identifiers: readonly string[], told: Partial<Interaction> = {}): Work => {
  const interaction: Interaction = {
    id: interactionId('twilio', undefined, key),
    kind: 'message',
    channel: 'sms',
    provider: 'twilio',
    direction: 'inbound',
    occurredAt: '2026-03-01T09:00:00.000Z',
    identifiers: [...identifiers],
    externalId: key,
    text: 'Hello',
    ...told,
  };
  return { type: 'interaction', interaction, receivedAt: interaction.occurredAt, message: key };
};

/** Requests and units of `record` by situation, counted by the local DynamoDB. */
export const benchRecord = async (): Promise<Measured[]> => {
  const table = await openTestTable();
  const use = recorder(table);
  let serial = 0;
  const act = (phone: string, key = `SM${serial++}`): Work => said(key, [`phone:${phone}`]);
  const measure = async (works: readonly Work[]): Promise<Spent> => {
    table.takeSpent();
    await use(works);
    const { requests, readUnits, writeUnits } = table.takeSpent();
    const each = (sum: number): number => sum / works.length;
    return { requests: each(requests), readUnits: each(readUnits), writeUnits: each(writeUnits) };
  };
  const ten = Array.from({ length: 10 }, (_, at) => `+141555501${String(at).padStart(2, '0')}`);
  const first = await measure([act('+14155550100', 'first')]);
  const known = await measure([act('+14155550100')]);
  const duplicate = await measure([act('+14155550100', 'first')]);
  const firstTen = await measure(ten.slice(1).map((phone) => act(phone)));
  const knownTen = await measure(ten.map((phone) => act(phone)));
  await measure([said('mail', ['email:ada@example.com'])]);
  const merging = await measure([said('both', ['phone:+14155550100', 'email:ada@example.com'])]);
  const firstOfTwo = await measure([said('two', ['email:dan@example.com', 'phone:+14155550198'])]);
  const claim = (key: string, identifiers: readonly string[], claimed = identifiers): Work =>
    said(key, identifiers, { kind: 'form', channel: 'form', provider: 'typeform', claimed: [...claimed] });
  const form = ['email:eve@example.com', 'phone:+14155550199'];
  const firstClaim = await measure([claim('form', form)]);
  const knownClaim = await measure([claim('form again', form)]);
  const claimOfOwned = await measure([
    claim('form of another', ['email:bob@example.com', 'phone:+14155550100']),
  ]);
  const mixed = await measure([
    claim('mixed', ['phone:+14155550100', 'email:mixed@example.com'], ['email:mixed@example.com']),
  ]);
  const proving = await measure([said('proving', ['email:eve@example.com'])]);
  const confirming = await measure([
    {
      type: 'command',
      command: {
        ...{ type: 'command', command: 'confirm', id: 'confirm', by: 'grace' },
        ...{ at: '2026-03-01T10:00:00.000Z', customer: 'email:eve@example.com' },
        identifier: 'phone:+14155550199',
      },
      message: 'confirm',
    },
  ]);
  const per = (count: 'requests' | 'writeUnits') => {
    const what = count === 'requests' ? 'requests' : 'write units';
    return (name: string, spent: Spent, atMost?: number): Measured => ({
      name: `DynamoDB ${what} per interaction, ${name}`,
      measured: spent[count],
      unit: '',
      ...(atMost !== undefined && { goal: { atMost } }),
    });
  };
  const [requests, units] = [per('requests'), per('writeUnits')];
  return [
    requests('known customer', known, 3),
    requests('first contact', first, 4),
    requests('duplicate', duplicate, 3),
    requests('merging two customers', merging),
    requests('known customers, ten at once', knownTen, 2),
    requests('first contacts, nine at once', firstTen),
    requests('claimed, a new guest', firstClaim, firstOfTwo.requests),
    requests('claimed, a known guest', knownClaim, known.requests),
    requests('claimed, an identifier of somebody else', claimOfOwned, firstOfTwo.requests),
    requests('mixed: a known customer claims an address', mixed, known.requests),
    requests('proof of an address that a guest claims', proving, first.requests),
    requests('confirming a claim', confirming),
    units('known customer', known, 6),
    units('known customers, ten at once', knownTen, 6),
    units('first contact', first),
    units('first contact with two identifiers', firstOfTwo),
    units('duplicate', duplicate),
    units('merging two customers', merging),
    units('claimed, a new guest', firstClaim, firstOfTwo.writeUnits),
    units('claimed, a known guest', knownClaim, known.writeUnits),
    units('claimed, an identifier of somebody else', claimOfOwned, firstOfTwo.writeUnits),
    units('mixed: a known customer claims an address', mixed, known.writeUnits),
    units('proof of an address that a guest claims', proving, first.writeUnits),
    units('confirming a claim', confirming),
  ];
};
