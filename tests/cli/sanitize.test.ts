import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run as customerCommand } from '../../cli/customers/customer.ts';
import { run as reviewCommand } from '../../cli/customers/review.ts';
import { run as failuresCommand } from '../../cli/operations/failures.ts';
import { run as jobsCommand } from '../../cli/operations/jobs.ts';
import { sanitize, sanitizeJson, sanitizeLines } from '../../cli/terminal/sanitize.ts';
import { closeTerminal, terminal } from '../support/terminal.ts';

/** Clears the screen, renames the window, starts a new line and reverses the reading direction. */
const EVIL = 'a\u001b[2J\u009d0;b\u0007\u202ec\r\nd';
const EXECUTED = /[\p{Cc}\u202e]/u;
const AT = '2026-03-02T09:00:00.000Z';

const by = { type: 'command', by: EVIL, text: EVIL };
const said = {
  ...{ type: 'interaction', kind: 'opt-out', provider: 'twilio', address: `line:${EVIL}` },
  ...{ word: EVIL, scope: EVIL, page: EVIL },
};
const conversation = { state: 'open', lastAt: AT, channels: ['sms'] };
const customer = { id: 'c', identifiers: [EVIL], name: { full: EVIL }, conversation };
const job = {
  ...{ id: 'j', kind: 'export', state: 'failed', by: EVIL, createdAt: AT },
  ...{ progress: { done: 1, refused: 0 }, error: { code: 'bad', reason: EVIL } },
};
const failure = { id: 'f', stage: 'record', code: 'bad', reason: EVIL, failedAt: AT, count: 2 };
const interaction = {
  ...{ id: 'i', occurredAt: AT, channel: 'sms', kind: 'message', provider: 'twilio', direction: 'inbound' },
  ...{ identifiers: [EVIL], subject: EVIL, text: EVIL },
};

const decision = { type: 'merge', id: 'm', at: AT, by: EVIL, why: EVIL };
const review = { id: 'r', openedAt: AT, why: EVIL, next: [EVIL] };
const side = { id: 'c', identifiers: [EVIL], firstSeenAt: AT, lastSeenAt: AT, interactions: 1 };

/** Answers of a hub that contain text of strangers, by the beginning of the path. */
const answers: readonly (readonly [string, unknown])[] = [
  [
    '/customers/c/consent',
    {
      channels: [
        {
          ...{ channel: 'sms', status: 'denied', since: AT, evidence: said },
          addresses: [{ address: EVIL, open: true }],
        },
      ],
      closed: [{ address: EVIL, reason: EVIL, since: AT, evidence: by }],
      muted: [{ address: EVIL, channel: 'email', since: AT }],
      preferences: {},
      history: [],
    },
  ],
  ['/customers/c/ledger', { items: [decision] }],
  ['/customers/c/timeline', { items: [interaction] }],
  ['/customers/h', customer],
  ['/customers?recent', { items: [customer] }],
  ['/customers?', customer],
  [
    '/reviews',
    {
      items: [
        { ...review, type: 'pair', reason: 'strong', customers: [side] },
        { ...review, type: 'interaction', reason: 'no-identifier', customers: [], interaction },
      ],
    },
  ],
  ['/erasures', { items: [{ id: 'e', askedAt: AT, by: EVIL }] }],
  ['/failures/f', { ...failure, payload: { text: EVIL } }],
  ['/failures', { items: [failure] }],
  ['/jobs/j', job],
  ['/jobs', { items: [job] }],
];

let printed: string[];
beforeEach(() => {
  printed = terminal(async (_, path) => {
    const [, answer] = answers.find(([beginning]) => path.startsWith(beginning)) ?? [];
    return { status: answer === undefined ? 404 : 200, body: answer ?? { detail: path } };
  });
});
afterEach(closeTerminal);

const lines = (): string[] => printed.flatMap((one) => one.split('\n'));

describe('text of strangers moves no cursor and starts no line', () => {
  it.each([
    ['customer consent', () => customerCommand(['consent', 'line:U1'])],
    ['customer list', () => customerCommand(['list', '--recent'])],
    ['review list', () => reviewCommand(['list'])],
    ['customer ledger', () => customerCommand(['ledger', 'line:U1'])],
    ['customer erasures', () => customerCommand(['erasures'])],
    ['failures list', () => failuresCommand(['list'])],
    ['jobs watch', () => jobsCommand(['watch', 'j'])],
  ])('in hub %s', async (_, run) => {
    await run();
    expect(lines().join('')).toContain('a\ufffd[2J\ufffd0;b\ufffd\ufffdc d');
    expect(lines().filter((line) => EXECUTED.test(line) || line.startsWith('d'))).toEqual([]);
  });

  it.each([
    ['customer show', () => customerCommand(['show', 'line:U1']), customer],
    ['customer ledger --json', () => customerCommand(['ledger', 'line:U1', '--json']), decision],
    [
      'customer timeline --json',
      () => customerCommand(['timeline', 'line:U1', '--raw', '--json']),
      interaction,
    ],
    ['failures show', () => failuresCommand(['show', 'f']), { ...failure, payload: { text: EVIL } }],
    ['jobs show', () => jobsCommand(['show', 'j']), job],
  ])('in hub %s, whose JSON stays the same', async (_, run, whole) => {
    await run();
    expect(lines().filter((line) => EXECUTED.test(line))).toEqual([]);
    expect(JSON.parse(printed.join('\n'))).toEqual(whole);
  });
});

it('keeps the line breaks of our own sentences, and all other characters', () => {
  expect(sanitizeLines('Two\nlines\u001b[1A')).toBe('Two\nlines\ufffd[1A');
  expect(sanitize('Zoë 👍🏽 שלום')).toBe('Zoë 👍🏽 שלום');
  expect(sanitizeJson({ a: 'Zoë\u0085' }, 2)).toBe('{\n  "a": "Zoë\\u0085"\n}');
});
