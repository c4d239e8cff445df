import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { parseConfigFile } from '../../../core/config/config-file.ts';
import { table } from '../../../functions/aws/clients/dynamo.ts';
import { runSteps } from '../../../infra/scenario/run.ts';
import { openScenarioHub } from '../../../infra/scenario/scenario-hub.ts';
import { scenarioIn } from '../../../infra/scenario/schema.ts';
import { assembly } from '../../../infra/stack/assembly.ts';

const Mapping = z.looseObject({ contact: z.looseObject({ fields: z.record(z.string(), z.unknown()) }) });
const folder = new URL('../../scenarios/', import.meta.url).pathname;

/** The phone and e-mail of every contact in both CRMs when a story has ended, and whose the notes in HubSpot are. */
const contactsAfter = async (file: string) => {
  const scenario = parseConfigFile(file, readFileSync(`${folder}${file}`, 'utf8'), scenarioIn(folder));
  const stage = await openScenarioHub(scenario, folder, { assembly: await assembly() });
  try {
    await runSteps(stage, scenario, folder);
    const { salesforce, hubspot } = stage.crms;
    const addresses = (phone: unknown, email: unknown) => [phone || undefined, email || undefined];
    return {
      notesOf: hubspot.records('notes').map(({ id }) => {
        const [owner] = hubspot.associated('notes', id, 'contacts');
        return hubspot.records('contacts').find((one) => one.id === owner)?.fields['phone'];
      }),
      salesforce: salesforce
        .records('Contact')
        .map(({ fields }) => addresses(fields['Phone'], fields['Email'])),
      hubspot: hubspot.records('contacts').map(({ fields }) => addresses(fields['phone'], fields['email'])),
    };
  } finally {
    await stage.cloud.stop();
    await stage.crms.stop();
  }
};

const [phone, email] = ['+14155550100', 'ada@example.com'];

it('a removed value is emptied in the contact', async () => {
  const { salesforce, hubspot } = await contactsAfter('crm-unmerge-gives-up-value.yaml');
  for (const contacts of [salesforce, hubspot]) {
    expect(contacts).toHaveLength(2);
    expect(contacts).toEqual(
      expect.arrayContaining([
        [phone, undefined],
        [undefined, email],
      ]),
    );
  }
});

it('a merged-in contact stays unchanged, and the survivor gets the values that are not unique', async () => {
  const { salesforce, hubspot, notesOf } = await contactsAfter('crm-unique-value-of-merged.yaml');
  expect(salesforce).toEqual([
    [phone, email],
    [undefined, email],
  ]);
  expect(hubspot).toEqual([
    [phone, undefined],
    [undefined, email],
  ]);
  expect(notesOf).toEqual([phone]);
});

it('a change of a preference alone reaches a CRM with a field for it', async () => {
  const story = {
    name: 'a preference',
    triggers: [],
    steps: [
      {
        at: '2026-03-01T10:00:00Z',
        interaction: {
          kind: 'message',
          channel: 'sms',
          id: 'SM1',
          identifiers: [`phone:${phone}`],
          text: 'Hi',
        },
      },
      { at: '2026-03-01T11:00:00Z', preference: { customer: `phone:${phone}`, channel: 'whatsapp' } },
    ],
    expect: {},
  };
  const scenario = parseConfigFile('preference.yaml', JSON.stringify(story), scenarioIn(folder));
  const stage = await openScenarioHub(scenario, folder, { assembly: await assembly() });
  try {
    const rows = table(stage.runtime);
    const body: unknown = parse(
      readFileSync(new URL('../../../mappings/crm/salesforce.yaml', import.meta.url), 'utf8'),
    );
    const { contact, ...mapping } = Mapping.parse(body);
    const fields = { ...contact.fields, Channel__c: { from: 'preferences.channel' } };
    await rows.put({
      ...{ pk: 'config#crm/salesforce', sk: 'current' },
      body: { ...mapping, contact: { ...contact, fields } },
    });
    await runSteps(stage, scenario, folder);
    const found = stage.crms.salesforce.records('Contact');
    expect(found.map(({ fields }) => fields['Channel__c'])).toEqual(['whatsapp']);
  } finally {
    await stage.cloud.stop();
    await stage.crms.stop();
  }
});

it('what nobody vouches for goes to the contact of the person it is shown with, marked, and changes no field of it', async () => {
  const story = {
    name: 'a form with the address of somebody else',
    triggers: [],
    steps: [
      {
        at: '2026-03-01T10:00:00Z',
        interaction: {
          ...{
            kind: 'message',
            channel: 'email',
            provider: 'ses',
            id: 'E1',
            identifiers: [`email:${email}`],
          },
          ...{ text: 'Hello', profile: { name: { full: 'Ada Byron' } } },
        },
      },
      {
        at: '2026-03-01T11:00:00Z',
        interaction: {
          ...{ kind: 'form', channel: 'form', provider: 'typeform', id: 'F1', text: 'Call me' },
          identifiers: [`email:${email}`, `phone:${phone}`],
          claimed: [`email:${email}`, `phone:${phone}`],
          profile: { name: { full: 'Mallory' } },
        },
      },
    ],
    expect: {},
  };
  const scenario = parseConfigFile('claimed.yaml', JSON.stringify(story), scenarioIn(folder));
  const stage = await openScenarioHub(scenario, folder, { assembly: await assembly() });
  try {
    await runSteps(stage, scenario, folder);
    const { salesforce, hubspot } = stage.crms;
    const fieldsOf = (records: readonly { readonly fields: object }[]) => records.map(({ fields }) => fields);
    expect(fieldsOf(salesforce.records('Contact'))).toMatchObject([
      { FirstName: 'Ada', LastName: 'Byron', Email: email },
    ]);
    expect(salesforce.records('Contact')[0]?.fields['Phone']).toBeUndefined();
    expect(fieldsOf(salesforce.records('Task'))).toMatchObject([
      { Subject: 'email inbound message:  Hello' },
      { Subject: 'Unconfirmed: form inbound form:  Call me' },
    ]);
    expect(fieldsOf(hubspot.records('notes'))).toMatchObject([
      { hs_note_body: 'Unconfirmed: form inbound form:  Call me' },
    ]);
  } finally {
    await stage.cloud.stop();
    await stage.crms.stop();
  }
});
