import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'sqs-'));
afterEach(() => rmSync(folder, { recursive: true }));

const script = (file: string): string => `
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '${new URL('../../../core/clock.ts', import.meta.url)}';
import { sqs } from '${new URL('../../../infra/local/sqs/index.ts', import.meta.url)}';
const db = new DatabaseSync('${file}');
db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
const service = sqs({ db, clock: systemClock(console.error), random: Math.random, newId: () => crypto.randomUUID(),
  region: 'eu-south-1', account: '123456789012', deliver: async () => {} });
await service.handle({ method: 'POST', path: '/', query: '', headers: { 'x-amz-target': 'AmazonSQS.CreateQueue' },
  body: Buffer.from('{"QueueName":"work"}') }, { accessKeyId: 'A', arn: 'a' });
for (;;) {
  process.stdout.write(service.send('arn:aws:sqs:eu-south-1:123456789012:work', 'x') + '\\n');
  await new Promise(setImmediate);
}
`;

it('holds every message that was acknowledged before the process was killed', async () => {
  const file = join(folder, 'state.db');
  const child = spawn(process.execPath, ['--input-type=module', '-e', script(file)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acknowledged: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(line);
    if (acknowledged.length === 300) child.kill('SIGKILL');
  }
  const rows = new DatabaseSync(file).prepare('SELECT id FROM sqs_messages').all();
  const stored = new Set(rows.map(({ id }) => String(id)));
  expect(acknowledged.length).toBeGreaterThanOrEqual(300);
  expect(acknowledged.filter((id) => id.length === 36 && !stored.has(id))).toEqual([]);
});
