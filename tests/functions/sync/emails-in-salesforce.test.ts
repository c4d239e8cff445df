import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { salesforce } from '../../../connectors/crm/salesforce/index.ts';
import { checkMapping, describedObjects } from '../../../core/crm/check/check.ts';
import { unsharedToken } from '../../../core/crm/connector.ts';
import { CrmMapping } from '../../../core/crm/mapping/mapping.ts';
import type { StoredInteraction } from '../../../functions/contracts/ports/history.ts';
import { sync } from '../../../functions/sync/sync.ts';
import { type OpenOrg, openOrg } from '../../sandbox/org.ts';
import { customerOf, linksInMemory, syncPortsOf } from '../../support/crm/in-memory.ts';

/** The example of the documentation, in front of the shipped rules. */
const mapping = (() => {
  const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
  const Rules = z.looseObject({ interactions: z.array(z.unknown()) });
  const shipped = Rules.parse(parse(read('mappings/crm/salesforce.yaml')));
  const [, block = ''] =
    /## E-mails as e-mails[\s\S]*?```yaml\n([\s\S]*?)```/u.exec(read('docs/crm/connect-salesforce.md')) ?? [];
  return { ...shipped, interactions: [...Rules.parse(parse(block)).interactions, ...shipped.interactions] };
})();

const Metadata = { type: 'Text', length: 64, externalId: true, unique: true };
let org: OpenOrg;
beforeEach(async () => {
  const objects = ['Contact', 'Activity', 'EmailMessage'];
  org = await openOrg({
    customFields: objects.map((object) => ({ FullName: `${object}.Hub_Id__c`, Metadata })),
  });
});
afterEach(() => org.stop());

const open = () => salesforce.open(org.secret, unsharedToken, AbortSignal.timeout(10_000));
const call = {
  signal: AbortSignal.timeout(60_000),
  spend: async () => undefined,
  sleep: async () => undefined,
};
const findings = async () => {
  const source = CrmMapping.parse(mapping);
  const described = await (await open()).describe(describedObjects(source), call);
  return checkMapping(salesforce, source, described).filter(({ ok }) => !ok);
};

const ada = customerOf(1, 'Ada');
const interactionOf = (id: string, direction: string) =>
  ({
    ...{ id, kind: 'message', channel: 'email', provider: 'ses', direction, subject: 'Hello' },
    ...{ occurredAt: '2026-03-01T09:00:00.000Z', receivedAt: '2026-03-01T09:00:00.000Z', text: id },
    ...{ identifiers: ['email:ada1@example.com'], profileId: ada.id, customer: { guest: false } },
  }) as unknown as StoredInteraction;

it('the documented mapping fits an org with Enhanced Email, and the check says where there is none', async () => {
  expect(await findings()).toEqual([]);
  const end = org.fault({ kind: 'missing-scope', object: 'EmailMessage' });
  expect((await findings()).map(({ object, says }) => [object, says])).toEqual(
    Array(2).fill(['EmailMessage', expect.stringContaining('EmailMessage')]),
  );
  end();
});

it('e-mails are written once, and related to the contact as sender or recipient', async () => {
  const interactions = new Map(
    [interactionOf('in', 'inbound'), interactionOf('out', 'outbound')].map((one) => [one.id, one]),
  );
  const ports = syncPortsOf(salesforce, org, {
    ...{ customers: new Map([[ada.id, ada]]), interactions, mapping, links: linksInMemory().links },
    saveFailure: (_, error) => {
      throw error;
    },
  });
  const batch = [...interactions.values()].map(({ id, profileId, occurredAt }) => ({
    ...{ id, message: { profileId, interaction: id, occurredAt } },
  }));
  expect((await sync(ports)(batch)).size).toBe(0);
  // As a worker leaves it that ended after it had written the e-mail.
  org.staff.delete('EmailMessageRelation', { RelationType: 'FromAddress' });
  expect((await sync(ports)(batch)).size).toBe(0);
  expect((await sync(ports)(batch)).size).toBe(0);
  const [contact] = org.records('Contact');
  const emails = org.records('EmailMessage');
  expect(emails.map(({ fields }) => fields)).toMatchObject([
    { TextBody: 'in', FromAddress: 'ada1@example.com', Incoming: true, Status: '1', Hub_Id__c: 'in' },
    { TextBody: 'out', ToIds: [contact?.id], Incoming: false, Status: '3', Hub_Id__c: 'out' },
  ]);
  const relations = org.records('EmailMessageRelation').map(({ fields }) => fields);
  const kinds = relations.map((one) => [one['EmailMessageId'], one['RelationType'], one['RelationId']]);
  expect(new Set(kinds.map(String))).toEqual(
    new Set([`${emails[0]?.id},FromAddress,${contact?.id}`, `${emails[1]?.id},ToAddress,${contact?.id}`]),
  );
  expect(kinds).toHaveLength(2);
  // The activities are Salesforce's own.
  expect(org.records('Task').map(({ id }) => id)).toEqual(emails.map(({ fields }) => fields['ActivityId']));
});
