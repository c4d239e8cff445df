import { DatabaseSync } from 'node:sqlite';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { run as connect } from '../../cli/deployment/connect.ts';
import { examineSenders } from '../../cli/deployment/doctor-senders.ts';
import { systemClock } from '../../core/clock.ts';
import { HubConfig } from '../../core/config/hub-config.ts';
import { serveStandalone } from '../../infra/local/runtime/standalone.ts';
import { eventPatterns } from '../../infra/scenario/hub/event-patterns.ts';

let aws: Awaited<ReturnType<typeof serveStandalone>>;
let lines: string[];
let asked: string[];
let answer: (url: string) => Promise<Response>;

beforeAll(async () => {
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
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url);
    return answer(url);
  });
});
afterAll(async () => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  await aws.stop();
});
beforeEach(() => {
  [lines, asked] = [[], []];
  for (const method of ['log', 'error'] as const)
    vi.spyOn(console, method).mockImplementation((line: string) => void lines.push(...line.split('\n')));
});

const stored = (sender: string): Promise<unknown> =>
  new SecretsManagerClient({})
    .send(new GetSecretValueCommand({ SecretId: `acme/senders/${sender}` }))
    .then(({ SecretString = '' }) => JSON.parse(SecretString));
const bot = async () => Response.json({ ok: true, result: { username: 'acme_bot' } });
const unauthorized = async () =>
  Response.json({ ok: false, error_code: 401, description: 'Unauthorized' }, { status: 401 });

it('stores the secret of a sender only if its vendor accepts it, and says what comes next', async () => {
  vi.stubEnv('HUB_SECRET_BOT_TOKEN', '1:wrong');
  answer = unauthorized;
  expect(await connect(['telegram', '--sender'])).toBe(1);
  expect(lines.join('\n')).toMatch(/✗ Telegram.*Unauthorized.*\n✗ The secret was not stored\./u);
  await expect(stored('telegram')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });

  vi.stubEnv('HUB_SECRET_BOT_TOKEN', '1:right');
  answer = bot;
  expect(await connect(['telegram', '--sender'])).toBe(0);
  expect(asked.at(-1)).toBe('https://api.telegram.org/bot1:right/getMe');
  expect(await stored('telegram')).toEqual({ botToken: '1:right' });
  const printed = lines.join('\n');
  expect(printed).toContain('✓ The secret leads to the bot @acme_bot.');
  expect(printed).toContain('senders: { telegram: telegram }');
  expect(printed).toContain('hub connect telegram');
  expect(printed).not.toContain('1:right');
  vi.stubEnv('HUB_SECRET_BOT_TOKEN', '');
});

it('the name of a sender that is no provider is enough; a part that is missing is named before anybody is asked', async () => {
  vi.stubEnv('HUB_SECRET_ACCESS_TOKEN', 'token');
  expect(await connect(['whatsapp-cloud'])).toBe(1);
  expect(lines.join('\n')).toMatch(/phoneNumberId \(the id of the phone number/u);
  expect(asked).toEqual([]);
  vi.stubEnv('HUB_SECRET_ACCESS_TOKEN', '');
});

it('services of AWS need no secret; a provider that sends nothing, and what only webhooks have, are refused', async () => {
  expect(await connect(['sns-push'])).toBe(0);
  expect(lines.join('\n')).toContain('needs no secret');
  expect(await connect(['stripe', '--sender'])).toBe(2);
  expect(lines.join('\n')).toContain('stripe sends nothing');
  await expect(connect(['twilio', '--sender', '--rotate'])).rejects.toMatchObject({
    code: 'invalid-arguments',
  });
  expect(asked).toEqual([]);
});

it('hub doctor asks the same of each sender that hub.yaml names', async () => {
  const hub = HubConfig.parse({
    senders: { telegram: 'telegram', whatsapp: 'whatsapp-cloud', email: 'ses' },
  });
  answer = bot;
  expect(await examineSenders({}, hub)).toEqual([
    { state: 'ok', subject: 'sender telegram', detail: 'leads to the bot @acme_bot' },
    {
      state: 'wrong',
      subject: 'sender whatsapp-cloud',
      detail: expect.stringMatching(/accessToken.*hub connect whatsapp-cloud --sender/u),
    },
  ]);
  answer = unauthorized;
  expect((await examineSenders({}, hub))[0]).toMatchObject({ state: 'wrong' });
  answer = () => Promise.reject(new TypeError('fetch failed'));
  expect((await examineSenders({}, hub))[0]).toMatchObject({ state: 'unknown' });
});
