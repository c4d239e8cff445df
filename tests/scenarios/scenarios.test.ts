import { beforeAll, describe, expect, it } from 'vitest';
import { runScenarioFile } from '../../infra/scenario/run.ts';
import { type Assembly, assembly } from '../../infra/stack/assembly.ts';
import { folder, scenarioFiles } from './scenario-files.ts';

let synthesised: Assembly;

beforeAll(async () => {
  synthesised = await assembly();
});

describe('scenarios', () => {
  it.each(scenarioFiles)('%s', async (file) => {
    const { lines } = await runScenarioFile(`${folder}${file}`, { assembly: synthesised });
    expect(lines).toEqual([]);
  });
});

describe('scenarios in trouble', () => {
  it('loses no event when the bus is unreachable directly after an interaction was stored', async () => {
    let lost = 0;
    const { lines } = await runScenarioFile(`${folder}hundred-copies.yaml`, {
      assembly: synthesised,
      before(service, operation) {
        if (service === 'events' && operation === 'PutEvents' && lost++ < 2)
          throw new Error('connection lost');
      },
    });
    expect(lost).toBeGreaterThan(2);
    // The event is published a visibility timeout later, so only the time of the notification may differ.
    expect(lines.every((line) => line.startsWith('expect.notifications'))).toBe(true);
  });

  it('writes everything to a CRM that was down for an hour', async () => {
    const { lines } = await runScenarioFile(`${folder}two-channels.yaml`, {
      assembly: synthesised,
      crms(crms, clock) {
        const recover = [crms.salesforce, crms.hubspot].map((crm) => crm.fault({ kind: 'down' }));
        clock.at(Date.parse('2026-03-01T10:00:00Z'), () => {
          for (const end of recover) end();
        });
      },
    });
    expect(lines).toEqual([]);
  });
});
