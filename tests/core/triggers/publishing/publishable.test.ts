import { describe, expect, it } from 'vitest';
import { HubConfig } from '../../../../core/config/hub-config.ts';
import { templateFaults } from '../../../../core/triggers/message/faults.ts';
import { changedLines, differences } from '../../../../core/triggers/publishing/difference.ts';
import { publishWarnings, readTriggerFile } from '../../../../core/triggers/publishing/publishable.ts';
import { trigger } from '../../../support/triggers/situations.ts';

const hub = HubConfig.parse({ teams: { sales: { email: ['sales@acme.example'] } } });
const templates = { hello: { 'sms.liquid': 'Hello {{ customer.name.first | default: "you" }}' } };
const text = `id: hello
category: service
on: { kind: [form] }
send:
  to: { team: sales }
  template: hello
`;
const faultsOf = (changed: string, files: Record<string, Record<string, string>> = templates) => {
  const read = readTriggerFile({ file: 'hello.yaml', text: changed, templates: files }, hub, templateFaults);
  return 'faults' in read
    ? read.faults.map(({ file, line, key, message }) => `${file}:${line} ${key}: ${message}`)
    : [];
};

describe('a trigger file', () => {
  it('is read as it is written, without defaults', () => {
    const read = readTriggerFile({ file: 'hello.yaml', text, templates }, hub, templateFaults);
    expect('definition' in read && read.definition).toEqual({
      ...{ id: 'hello', category: 'service', on: { kind: ['form'] } },
      send: { to: { team: 'sales' }, template: 'hello' },
    });
  });

  it('has each fault at its line: a key, a team with the nearest one, a template, a pattern that is too long', () => {
    expect(faultsOf(text)).toEqual([]);
    expect(faultsOf(`${text}waite: 2h\n`)).toEqual(['hello.yaml:7 waite: unknown key']);
    expect(faultsOf(text.replace('team: sales', 'team: saels'))).toEqual([
      'hello.yaml:5 send.to.team: The trigger hello names the team saels, which is not under `teams` in hub.yaml. Did you mean sales?',
    ]);
    expect(faultsOf(text, {})).toEqual([
      expect.stringMatching(/^hello\.yaml:5 send: .*names the template hello/u),
    ]);
    const long = `{ text: [${Array.from({ length: 300 }, (_, at) => `word-${at}`).join(', ')}] }`;
    expect(faultsOf(text.replace('{ kind: [form] }', long))).toEqual([
      expect.stringMatching(/^hello\.yaml:3 on: .*EventBridge takes 2048/u),
    ]);
  });

  it('has the faults of its templates, with their files', () => {
    expect(faultsOf(text, { hello: { 'sms.liquid': '{{ customer.nmae }}' } })).toEqual([
      'mappings/templates/hello/sms.liquid:1 : there is no variable customer.nmae; did you mean customer.name.full?',
    ]);
  });

  it('is warned of channels that its template has no text for', () => {
    const one = trigger({ send: { channels: ['preferred', 'sms', 'email'], template: 'hello' } });
    expect(publishWarnings(one, templates)).toEqual([
      'The template hello has no text for email: that channel is passed over (no-template).',
    ]);
  });
});

describe('what differs', () => {
  it('is told key by key; a list is one value, and a template is compared by its lines', () => {
    const published = {
      definition: { a: 1, send: { channels: ['sms'] } },
      templates: { t: { 'sms.liquid': 'a' } },
    };
    const given = {
      definition: { send: { channels: ['sms', 'email'] }, b: { c: 'x' } },
      templates: { t: { 'sms.liquid': 'b' } },
    };
    expect(differences(published, given)).toEqual([
      { key: 'a', published: '1' },
      { key: 'send.channels', published: '["sms"]', given: '["sms","email"]' },
      { key: 'templates/t/sms.liquid', published: 'a', given: 'b' },
      { key: 'b.c', given: 'x' },
    ]);
    expect(differences(given, given)).toEqual([]);
    expect(changedLines('a\nb\nc', 'a\nc\nd')).toEqual(['- b', '+ d']);
  });
});
