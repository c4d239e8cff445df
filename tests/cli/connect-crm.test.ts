import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { run as mapping } from '../../cli/crm/mapping.ts';
import { run as connect } from '../../cli/deployment/connect.ts';
import { systemClock } from '../../core/clock.ts';
import { serveStandalone } from '../../infra/local/runtime/standalone.ts';
import { type SalesforceSandbox, salesforceSandbox } from '../../infra/sandbox/salesforce/server.ts';
import { eventPatterns } from '../../infra/scenario/hub/event-patterns.ts';

const folder = mkdtempSync(join(tmpdir(), 'connect-'));
let salesforce: SalesforceSandbox;
let aws: Awaited<ReturnType<typeof serveStandalone>>;
let lines: string[];

beforeAll(async () => {
  salesforce = await salesforceSandbox(new DatabaseSync(':memory:'), {});
  const world = {
    clock: systemClock(() => {}),
    random: Math.random,
    newId: () => crypto.randomUUID(),
    patterns: eventPatterns,
  };
  aws = await serveStandalone(['secretsmanager'], 0, { db: new DatabaseSync(':memory:'), ...world });
  vi.stubEnv('AWS_ENDPOINT_URL', aws.url);
  for (const name of ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])
    vi.stubEnv(name, 'eu-south-1');
  return async () => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  };
});
afterAll(async () => {
  await Promise.all([salesforce.stop(), aws.stop()]);
});
beforeEach(() => {
  lines = [];
  for (const method of ['log', 'error'] as const)
    vi.spyOn(console, method).mockImplementation((line: string) => void lines.push(...line.split('\n')));
});

const secret = (more: object = {}): string => {
  const file = join(folder, 'secret.json');
  writeFileSync(file, JSON.stringify({ ...salesforce.secret, ...more }));
  return file;
};
const stored = (): Promise<unknown> =>
  new SecretsManagerClient({})
    .send(new GetSecretValueCommand({ SecretId: 'acme/crm/salesforce' }))
    .then(({ SecretString = '' }) => JSON.parse(SecretString));

it('connects an org: names the wrong part, stores only what works, creates the key fields', async () => {
  await expect(connect(['salesforce', '--secret', secret({ clientSecret: 'wrong' })])).rejects.toThrow(
    'clientSecret',
  );
  expect(lines).toContain('✗ The secret was not stored.');
  await expect(stored()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });

  expect(await connect(['salesforce', '--secret', secret(), '--dry-run', '--create-fields'])).toBe(1);
  await expect(stored()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  expect(lines.filter((line) => line.startsWith('✗ mappings'))).toEqual([
    '✗ mappings/crm/salesforce.yaml:4 contact.key',
    expect.stringMatching(/^✗ mappings\/crm\/salesforce\.yaml:\d+ interactions\.0\.key$/u),
    '✗ mappings/crm/salesforce.yaml does not fit: 2 faults.',
  ]);

  expect(await connect(['salesforce', '--secret', secret(), '--create-fields'])).toBe(0);
  expect(await stored()).toEqual(salesforce.secret);
  expect(lines).toContain('✓ created      Contact.Hub_Id__c');

  lines = [];
  expect(await mapping(['check', 'salesforce'])).toBe(0);
  const end = salesforce.fault({ kind: 'missing-field', object: 'Contact', field: 'Title' });
  expect(await mapping(['check', 'salesforce'])).toBe(1);
  end();
  expect(lines.filter((line) => line.includes('Title'))).toHaveLength(2);
});

it('knows the CRMs by name', async () => {
  await expect(mapping(['check', 'tryton'])).rejects.toThrow('salesforce, hubspot, servicenow, not tryton');
});
