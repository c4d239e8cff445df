import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run as customerCommand } from '../../../cli/customers/customer.ts';
import { run as reviewCommand } from '../../../cli/customers/review.ts';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { closeTerminal, terminal } from '../../support/terminal.ts';

let hub: TestHub;
let printed: string[];
beforeEach(async () => {
  hub = await openTestHub();
  printed = terminal(async (method, target, body) => {
    // A command is delivered before its outcome is read.
    if (target.startsWith('/commands/')) await hub.settle();
    return hub.api(method, target, body);
  });
});
afterEach(() => {
  closeTerminal();
  return hub.stop();
});

const report = async (...events: object[]): Promise<void> => {
  expect((await hub.api('POST', '/events', events)).status).toBe(202);
  await hub.settle();
};
const idOf = async (identifier: string): Promise<string> =>
  (await hub.api('GET', `/customers?identifier=${encodeURIComponent(identifier)}`)).body.id;

describe('hub customer and hub review', () => {
  it('lists the open reviews with what is needed to decide them', async () => {
    await report(
      {
        id: '1',
        identifiers: ['user-id:1', 'email:ada@example.com'],
        profile: { name: { full: 'Ada\u001b[2J' } },
      },
      { id: '2', identifiers: ['user-id:2', 'phone:+14155550100'] },
    );
    await report({ id: '3', identifiers: ['email:ada@example.com', 'phone:+14155550100'] });
    await report({
      id: '4',
      kind: 'message',
      channel: 'sms',
      identifiers: ['phone:unknown'],
      text: 'Who am I?',
    });
    await reviewCommand(['list']);
    const text = printed.join('\n');
    expect(text).toContain('proves identifiers of both, but their strong identifiers differ.');
    expect(text).toMatch(/Ada.* {2}user-id:1 {2}email:ada@example\.com/u);
    expect(text).toContain('user-id:2  phone:+14155550100');
    expect(text).toContain('has no identifier by which its customer could be found.');
    expect(text).toContain('sms  message  by api  Who am I?  phone:unknown');
    expect(text).not.toContain('\u001b');
  });

  it('prints the customers that a command changed, or throws why it was refused', async () => {
    await report({ id: '1', identifiers: ['email:ada@example.com'] }, { id: '2', identifiers: ['line:U1'] });
    const survivor = await idOf('email:ada@example.com');
    const why = ['--reason', 'the same voice'];
    expect(await customerCommand(['merge', 'email:ada@example.com', 'line:U1', ...why])).toBe(0);
    expect(printed).toEqual([`Done: ${survivor}`]);
    expect(await idOf('line:U1')).toBe(survivor);
    await expect(customerCommand(['merge', 'line:U1', 'line:U2', ...why])).rejects.toThrow(
      'No customer owns line:U2.',
    );
  });
});
