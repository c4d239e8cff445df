import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import * as z from 'zod';
import { run as mapping } from '../../cli/crm/mapping.ts';
import { run as connect } from '../../cli/deployment/connect.ts';
import { systemClock } from '../../core/clock.ts';
import { serveStandalone } from '../../infra/local/runtime/standalone.ts';
import { type SalesforceSandbox, salesforceSandbox } from '../../infra/sandbox/salesforce/server.ts';
import { servicenowSandbox } from '../../infra/sandbox/servicenow/server.ts';
import { eventPatterns } from '../../infra/scenario/hub/event-patterns.ts';
import { terminal } from '../support/terminal.ts';

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
const stored = (crm = 'salesforce'): Promise<unknown> =>
  new SecretsManagerClient({})
    .send(new GetSecretValueCommand({ SecretId: `acme/crm/${crm}` }))
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

it('--new-account tells the hub the account to which the secret leads, given or stored', async () => {
  await expect(connect(['salesforce', '--secret', secret({ more: '1' }), '--new-account'])).rejects.toThrow(
    'HUB_URL',
  );
  expect(await stored()).toEqual(salesforce.secret);

  const asked: unknown[] = [];
  const printed = terminal(async (method, target, body) => {
    asked.push([method, target, body]);
    return { status: 202, body: {} };
  });
  const probe = [
    ...['POST', '/connections/salesforce/probe'],
    { account: expect.stringMatching(/^00D\w{15}$/u) },
  ];
  expect(await connect(['salesforce', '--new-account', '--dry-run'])).toBe(0);
  expect(asked).toEqual([]);
  expect(await connect(['salesforce', '--new-account'])).toBe(0);
  expect(await connect(['salesforce', '--secret', secret({ more: '1' }), '--new-account'])).toBe(0);
  expect(asked).toEqual([probe, probe]);
  expect(await stored()).toEqual({ ...salesforce.secret, more: '1' });
  expect(printed.join('\n')).toMatch(/goes on in the account 00D\w{15} of Salesforce;.*--adopt/su);
});

it('connects a CRM by its mapping alone; credentials that it refuses are not stored', async () => {
  const seen: string[] = [];
  const till = createServer((request, response) => {
    seen.push(request.url ?? '');
    response.writeHead(request.headers.authorization === 'Bearer right' ? 200 : 401);
    response.end('{"items":[]}');
  });
  await new Promise<void>((resolve) => till.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void till.close());
  const { port } = z.object({ port: z.number() }).parse(till.address());
  const mappings = join(folder, 'till');
  cpSync('mappings', mappings, { recursive: true });
  writeFileSync(join(mappings, 'hub.yaml'), 'name: acme\ncrms: { till: { connector: http } }\n');
  writeFileSync(
    join(mappings, 'crm', 'till.yaml'),
    `contact: { object: people, key: hub_id, match: [email], fields: { mail: { from: identifiers.email.primary } } }
http:
  host: http://127.0.0.1:${port}
  auth: { bearer: "{{ secret.token }}" }
  objects:
    people:
      record: { id: id, emails: mail }
      find: { email: { request: GET /people, query: { mail: "{{ value }}" }, records: body.items } }
      read: { request: "GET /people/{{ id }}", records: body }
      upsert: { request: "PUT /people/{{ record.key }}", json: "{{ record.values }}", id: body.id }
`,
  );
  vi.stubEnv('HUB_MAPPINGS', mappings);
  onTestFinished(() => void vi.stubEnv('HUB_MAPPINGS', undefined));
  vi.stubEnv('HUB_SECRET_TOKEN', 'wrong');
  await expect(connect(['till'])).rejects.toThrow('the credentials are not accepted');
  expect(lines).toEqual(['✗ The secret was not stored.']);
  await expect(stored('till')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  vi.stubEnv('HUB_SECRET_TOKEN', 'right');
  expect(await connect(['till'])).toBe(0);
  expect(await stored('till')).toEqual({ token: 'right' });
  expect(lines).toContainEqual(expect.stringMatching(/^✓ .*till\.yaml is valid; nothing of this CRM/u));
  expect(seen).toEqual(Array(2).fill('/people?mail=nobody%40example.invalid'));
});

it('an import set that the mapping names is said to be missing, and created', async () => {
  const instance = await servicenowSandbox(new DatabaseSync(':memory:'), {});
  onTestFinished(() => instance.stop());
  const mappings = join(folder, 'imports');
  cpSync('mappings', mappings, { recursive: true });
  const file = join(mappings, 'crm', 'servicenow.yaml');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('  match:', '  importSet: u_hub_contact_import\n  match:'));
  vi.stubEnv('HUB_MAPPINGS', mappings);
  onTestFinished(() => void vi.stubEnv('HUB_MAPPINGS', undefined));
  const given = ['servicenow', '--secret', secret(instance.secret)];
  expect(await connect([...given, '--dry-run'])).toBe(1);
  expect(lines).toContainEqual(expect.stringMatching(/^✗ import set {3}The import set .* is not there/u));
  expect(lines).toContainEqual(
    expect.stringMatching(/--create-fields creates .*, the import set u_hub_contact_import\.$/u),
  );
  lines = [];
  expect(await connect([...given, '--create-fields'])).toBe(0);
  expect(lines).toContain('✓ created      the import set u_hub_contact_import');
  expect(lines).toContain('✓ import set   Contacts are written through u_hub_contact_import, by u_hub_id.');
});

it('knows the CRMs by name', async () => {
  await expect(mapping(['check', 'tryton'])).rejects.toThrow('salesforce, hubspot, servicenow, not tryton');
});
