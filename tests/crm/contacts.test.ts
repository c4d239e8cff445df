import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseConfigFile } from '../../core/config-file.ts';
import { assembly } from '../../infra/assembly.ts';
import { openStage, play } from '../../infra/scenario/run.ts';
import { scenarioIn } from '../../infra/scenario/schema.ts';

const folder = new URL('../scenarios/', import.meta.url).pathname;

/** The phone and e-mail of every contact in both CRMs when a story has ended, and whose the notes in HubSpot are. */
const contactsAfter = async (file: string) => {
  const scenario = parseConfigFile(file, readFileSync(`${folder}${file}`, 'utf8'), scenarioIn(folder));
  const stage = await openStage(scenario, folder, { assembly: await assembly() });
  try {
    await play(stage, scenario, folder);
    const { salesforce, hubspot } = stage.crms;
    const addresses = (phone: unknown, email: unknown) => [phone || undefined, email || undefined];
    return {
      notesOf: hubspot.records
        .of('notes')
        .map(({ fields }) => hubspot.records.byId('contacts', String(fields['contact']))?.fields['phone']),
      salesforce: salesforce.records
        .of('Contact')
        .map(({ fields }) => addresses(fields['Phone'], fields['Email'])),
      hubspot: hubspot.records
        .of('contacts')
        .map(({ fields }) => addresses(fields['phone'], fields['email'])),
    };
  } finally {
    await stage.cloud.stop();
    await stage.crms.stop();
  }
};

const [phone, email] = ['+14155550100', 'ada@example.com'];

it('what a customer has no more is emptied in their contact', async () => {
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

it('a merged-in contact stays as it is, and the survivor shares what may be shared', async () => {
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
