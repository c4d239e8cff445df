import { expect, it } from 'vitest';
import { parseConfigFile } from '../../core/config/config-file.ts';
import { scenarioIn } from '../../infra/scenario/schema.ts';

const folder = new URL('.', import.meta.url).pathname;
const faults = (text: string): string[] => {
  try {
    parseConfigFile('story.yaml', text, scenarioIn(folder));
    return [];
  } catch (error) {
    return String(error instanceof Error ? error.message : error).split('\n');
  }
};
const story = (lines: string): string => `name: x\n${lines}\nexpect: {}`;

it.each([
  ['identity: { identifiers: { email: { priority: 2, limit: -1 } } }', 'identity.identifiers.email.limit: '],
  ['identity: { share: [] }', 'identity.share: unknown key'],
  ['hub: { quietHours: late }', 'hub.quietHours: expected quiet hours such as "21:00-08:00"'],
  [
    'triggers: [{ id: x, category: service, on: { kind: [form] }, send: { channels: [fax], template: t } }]',
    'triggers.0.send.channels.0: ',
  ],
  [
    'triggers: [nowhere.yaml]',
    'triggers.0: expected a trigger or the name of its file; there is no nowhere.yaml beside',
  ],
  ['customers: [{ identifiers: [ada] }]', 'customers.0.identifiers.0: expected an identifier of the form'],
  ['steps: [{ at: yesterday, erase: { customer: "email:a@b" } }]', 'steps.0.at: expected a time such as'],
  ['steps: [{ merge: { keep: "email:a@b" } }]', 'steps.0.merge.other: expected an identifier of the form'],
  ['steps: [{ advance: soon }]', 'steps.0.advance: expected a duration such as'],
  ['steps: [{}]', 'steps.0: expected exactly one of interaction, webhook, merge'],
  ['steps: [{ webhook: nowhere.json }]', 'steps.0.webhook: expected the file of a webhook case; there is no'],
  ['steps: [{ webhook: wrong-files.test.ts }]', 'steps.0.webhook: expected a webhook case; '],
  [
    'customers: [{ identifiers: ["email:a@b"], timeZone: Mars }]',
    'customers.0.timeZone: expected an IANA time zone',
  ],
  [
    'triggers: [welcome.yaml]\nsteps: [{ publish: nobody }]',
    'steps.0.publish: expected the id of a trigger of this scenario: welcome',
  ],
  [
    'triggers: []\nsteps: [{ pause: welcome }]',
    'steps.0.pause: expected the id of a trigger of this scenario: it has none',
  ],
])('an invalid scenario is reported with its file, line and key: %s', (line, message) => {
  const [first = '', ...others] = faults(story(line));
  expect(first.startsWith(`story.yaml:${line.split('\n').length + 1}: ${message}`), first).toBe(true);
  expect(others).toEqual([]);
});

it('accepts the type of an identifier in any case', () => {
  expect(faults(story('customers: [{ identifiers: ["Email: Ada@Example.com"] }]'))).toEqual([]);
});

it('lists the reasons where an unknown one is expected', () => {
  expect(faults('name: x\nexpect:\n  suppressed: [{ reason: no-consnet }]')).toEqual([
    expect.stringMatching(/^story\.yaml:3: expect\.suppressed\.0\.reason: expected one of .*"no-consent"/u),
  ]);
});
