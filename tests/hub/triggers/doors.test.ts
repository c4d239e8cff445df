import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { run as triggerCommand } from '../../../cli/triggers/trigger.ts';
import { notificationOf } from '../../../functions/contracts/rows/triggers.ts';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { closeTerminal, terminal } from '../../support/terminal.ts';

// The doors of triggers: the command line against the API of a whole hub, with the API function's own permissions.

let hub: TestHub;
let printed: string[];
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'triggers-'));
  hub = await openTestHub({ connectCrms: false });
});
afterAll(() => hub.stop());
beforeEach(() => {
  printed = terminal(hub.api);
});
afterEach(closeTerminal);
afterAll(() => rmSync(folder, { recursive: true }));

const fileOf = (text: string): string => {
  const file = join(folder, 'offer.yaml');
  writeFileSync(file, text);
  return file;
};
const offer = (fields = ''): string =>
  fileOf(`id: offer
category: transactional
on: { kind: [form] }
send: { channels: [sms], template: follow-up }
${fields}`);
const trigger = async (...args: string[]): Promise<number> => {
  printed.length = 0;
  return triggerCommand(args);
};
const api = async (target: string) => (await hub.api('GET', target)).body;

describe('publishing from a file', () => {
  it('checks without an effect, and says the limits of the bus with numbers', async () => {
    expect(await trigger('check', offer())).toBe(0);
    expect(printed.join('\n')).toMatch(
      /rules on the bus: \d+ of 100 \(eu-south-1\).*\nrules with wildcards: 0 of 30\npattern: \d+ of 2048 characters/u,
    );
    expect((await hub.api('GET', '/triggers/offer')).status).toBe(404);
  });

  it('names file, line, key and what was expected of a fault', async () => {
    const file = offer('wait: soon\nlimits: { perCustmer: 1 per 7d }\n');
    const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
    expect(await trigger('check', file)).toBe(1);
    expect(errors.mock.calls.flat()).toEqual([
      expect.stringMatching(/offer\.yaml:5: wait: expected a duration such as 30s/u),
      expect.stringMatching(/offer\.yaml:6: limits\.perCustmer: unknown key/u),
    ]);
    errors.mockRestore();
    await expect(trigger('publish', file)).rejects.toThrow(/offer\.yaml:5: wait: expected a duration/u);
    const team = fileOf(
      'id: offer\ncategory: transactional\non: { kind: [form] }\nsend: { to: { team: slaes }, template: nowhere }\n',
    );
    await expect(trigger('publish', team)).rejects.toThrow(
      /offer\.yaml:4: send: .*names the template nowhere.*\n.*offer\.yaml:4: send\.to\.team: .*names the team slaes/u,
    );
  });

  it('publishes within seconds, pauses what waits, resumes, and goes back', async () => {
    expect(await trigger('publish', offer('wait: 1h\n'), '--note', 'first try')).toBe(0);
    expect(printed[0]).toMatch(/^offer +published +v1 .*: first try/u);
    hub.sendInteraction({ key: 'F1', kind: 'form', channel: 'form' });
    await hub.wait(60_000);
    const [waiting] = (await hub.scan()).filter(({ sk }) => sk.startsWith('notification#offer#'));
    expect(waiting && notificationOf(waiting)).toMatchObject({ status: 'waiting', triggerVersion: 1 });
    expect(await trigger('pause', 'offer')).toBe(0);
    expect(printed[0]).toMatch(/^offer +paused +v1 .* paused \S+ by /u);
    hub.sendInteraction({ key: 'F2', kind: 'form', channel: 'form' });
    await hub.wait();
    const rows = (await hub.scan()).filter(({ sk }) => sk.startsWith('notification#offer#'));
    expect(rows.map((row) => notificationOf(row).reason)).toEqual(['paused']);
    expect(await trigger('resume', 'offer')).toBe(0);

    expect(await trigger('diff', offer('wait: 2h\n'))).toBe(1);
    expect(printed).toEqual(['wait', '  - 1h', '  + 2h']);
    await trigger('publish', offer('wait: 2h\n'));
    expect(await trigger('diff', offer('wait: 2h\n'))).toBe(0);
    await trigger('roll-back', 'offer', '--note', 'too slow');
    await trigger('history', 'offer');
    expect(printed.map((line) => line.replace(/\d{4}-\S+ \S+?(?=:| )/u, '…'))).toEqual([
      'v3*  …: too slow  version 1 again',
      expect.stringMatching(/^v2 .*wait$/u),
      expect.stringMatching(/^v1 .*first try .*send\.template/u),
    ]);
    expect((await api('/triggers/offer')).definition).toMatchObject({ wait: '1h' });
    expect(await trigger('unpublish', 'offer')).toBe(0);
    expect((await api('/triggers/offer')).state).toBe('paused');
  });

  it('a draft is stored, listed, and published later', async () => {
    const draft = fileOf(
      'id: later\nname: Later\ncategory: service\non: { kind: [form] }\nsend: { channels: [sms], template: follow-up }\n',
    );
    await trigger('publish', draft, '--draft');
    await trigger('list');
    expect(printed.some((line) => /^later +draft +.*Later/u.test(line))).toBe(true);
    hub.sendInteraction({ key: 'F3', kind: 'form', channel: 'form' });
    await hub.settle();
    expect((await hub.scan()).some(({ sk }) => sk.startsWith('notification#later#'))).toBe(false);
    expect(await trigger('publish', 'later')).toBe(0);
    expect(await api('/triggers/later')).toMatchObject({ state: 'published', version: 1 });
    expect((await api('/triggers/later')).draft).toBeUndefined();
    await expect(trigger('publish', 'later')).rejects.toThrow(/no draft/u);
  });

  it('apply shows what differs and keeps what was edited elsewhere, unless it is told', async () => {
    const own = fileOf(
      'id: applied\ncategory: service\non: { kind: [form] }\nsend: { channels: [sms], template: follow-up }\n',
    );
    expect(await trigger('apply', own)).toBe(0);
    expect(await trigger('apply', own)).toBe(0);
    expect(printed).toEqual(['applied: no difference']);
    const { definition, templates } = await api('/triggers/applied');
    const text = JSON.stringify({ ...definition, wait: '3h' });
    await hub.api('PUT', '/triggers/applied', { text, templates, by: 'grace' });
    const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
    expect(await trigger('apply', own)).toBe(1);
    expect(printed).toEqual(
      ['applied:', '  wait', '  - 3h'].map((line, at) => (at === 2 ? `  ${line}` : line)),
    );
    expect(errors.mock.calls.flat().join()).toMatch(/edited elsewhere .* version 2 by grace at/u);
    errors.mockRestore();
    expect(await trigger('apply', own, '--overwrite')).toBe(0);
    expect(await api('/triggers/applied')).toMatchObject({ version: 3, editedSinceDeploy: false });
  });
});
