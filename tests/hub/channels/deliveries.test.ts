import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clientConfig } from '../../../functions/aws/clients/config.ts';
import { messenger, openTestHub, type TestHub } from '../../support/open-test-hub.ts';

let hub: TestHub;

beforeEach(async () => {
  hub = await openTestHub();
});

afterEach(() => hub.stop());

/** What lies in the bucket. */
const kept = async (key: string | undefined): Promise<string | undefined> => {
  const bucket = [...hub.cloud.created.values()].find(({ attributes }) =>
    attributes?.['Arn']?.startsWith('arn:aws:s3:::'),
  )?.ref;
  const s3 = new S3Client({ ...clientConfig(hub.runtime), forcePathStyle: true });
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return Body?.transformToString();
};

/** Events of SendGrid, as they come from the front door. */
const eventsOf = (...events: readonly object[]) => ({
  ...{ type: 'delivery', id: 'batch', provider: 'sendgrid', receivedAt: '2026-03-02T09:00:00.000Z' },
  request: {
    ...{ method: 'POST', url: '', headers: { 'content-type': 'application/json' } },
    body: Buffer.from(JSON.stringify(events)).toString('base64'),
  },
});
const opened = (id: string) => ({
  ...{ email: 'ada@example.com', event: 'unsubscribe', timestamp: 1_772_442_000, sg_event_id: id },
});

describe('a batch', () => {
  it('is recorded without its odd members, each of which is a failure that names path and type', async () => {
    hub.send(
      /^DeliveriesQueue/,
      eventsOf(opened('one'), { ...opened('two'), event: { ada: 1 } }, { email: 7 }, opened('four')),
    );
    await hub.settle();
    const failures = await hub.failures();
    expect(failures.map(({ code }: { code: string }) => code)).toEqual([
      'unreadable-member',
      'unreadable-member',
    ]);
    const reasons = failures.map(({ reason }: { reason: string }) => reason).join('\n');
    expect(reasons).toContain('[1].event: expected string');
    expect(reasons).toContain('[2].email: expected string');
    expect(reasons).not.toContain('ada');
  });

  it('has its odd member decoded alone in a replay', async () => {
    hub.send(/^DeliveriesQueue/, eventsOf(opened('one'), { ...opened('two'), event: 7 }));
    await hub.settle();
    const [{ id }] = await hub.failures();
    await hub.api('POST', `/failures/${id}/replay`);
    await hub.settle();
    expect(await hub.failures()).toMatchObject([{ id, count: 2 }]);
    const mended = { ...eventsOf({ event: 7 }, opened('two')), member: '[1]' };
    expect((await hub.api('PUT', `/failures/${id}/payload`, mended)).status).toBe(200);
    await hub.api('POST', `/failures/${id}/replay`);
    await hub.settle();
    expect(await hub.failures()).toEqual([]);
  });
});

describe('a delivery', () => {
  it('needs one AWS request before it is acknowledged, with a cached secret', async () => {
    await hub.post(messenger('first'));
    const before = new Map(hub.cloud.counts);
    await hub.post(messenger('second'));
    const spent = [...hub.cloud.counts]
      .filter(([key]) => key.includes('Receive'))
      .map(([key, count]) => [key.split(' ').slice(1).join(' '), count - (before.get(key) ?? 0)] as const)
      .filter(([, count]) => count > 0);
    expect(spent).toEqual([['sqs SendMessage', 1]]);
  });

  it('is stored in the bucket where it is too large for the queue, and so is a text too long for a row', async () => {
    const text = `${'Ω'.repeat(600_000)} the end`;
    expect(await hub.post(messenger(text))).toBe(200);
    const [row] = await hub.timeline();
    const stored = JSON.stringify(row);
    expect(stored.length).toBeLessThan(400_000);
    const key = /"key":\{"S":"(texts\/[^"]+)"/u.exec(stored)?.[1];
    expect(await kept(key)).toBe(text);
  });

  it('is acknowledged and stored with the reason when it is authentic but unreadable', async () => {
    expect(await hub.post('{"object":"page","entry":"none"}')).toBe(200);
    expect(await hub.timeline()).toEqual([]);
    const [failure] = await hub.rows('"pk":{"S":"failure#');
    expect(failure).toMatchObject({ code: { S: 'unreadable-delivery' }, stage: { S: 'record' } });
    expect(JSON.stringify(failure?.['reason'])).toContain('Fix the mapping of meta in mappings/channels');
    const key = /failures\/record\/\w+/u.exec(JSON.stringify(failure))?.[0];
    expect(await kept(key)).toContain(Buffer.from('{"object":"page","entry":"none"}').toString('base64'));
  });

  it('is answered with 401 for a wrong signature and 404 for an unknown provider, and nothing is stored', async () => {
    expect(
      await hub.deliver(
        'meta',
        { 'content-type': 'application/json', 'x-hub-signature-256': 'sha256=00' },
        messenger('forged'),
      ),
    ).toBe(401);
    expect(await hub.deliver('nobody', {}, '{}')).toBe(404);
    expect(await hub.timeline()).toEqual([]);
  });

  it('leaves no text and no identifier in the logs of functions', async () => {
    const lines: string[] = [];
    const { info, warn, error } = console;
    Object.assign(console, {
      info: (line: string) => lines.push(line),
      warn: (line: string) => lines.push(line),
      error: (line: string) => lines.push(line),
    });
    try {
      await hub.post(messenger('a secret text'));
      await hub.post('{"object":"page","entry":"a secret text"}');
      // What JSON.parse throws quotes what it was given.
      await hub.post('a secret text');
    } finally {
      Object.assign(console, { info, warn, error });
    }
    expect(lines.join('\n')).not.toMatch(/secret text|5678/);
    expect(lines.length).toBeGreaterThan(0);
  });
});
