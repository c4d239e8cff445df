import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run as customerCommand } from '../../../cli/customers/customer.ts';
import { timelineLines } from '../../../cli/customers/timeline.ts';
import { identifierKey, interactionKey } from '../../../functions/contracts/keys.ts';
import { interactionOf } from '../../../functions/contracts/rows/interactions.ts';
import { ownerOf } from '../../../functions/contracts/rows/people.ts';
import { closeTerminal, terminal } from '../../support/terminal.ts';
import { at, type Conversation, openConversation } from './conversation.ts';

let hub: Conversation;
let printed: string[];
beforeEach(async () => {
  hub = await openConversation();
  printed = terminal(hub.api);
});
afterEach(() => {
  closeTerminal();
  return hub.stop();
});

const ADA = 'phone:+14155550100';
const sent = { kind: 'echo', direction: 'outbound' } as const;
const aboutIt = { kind: 'delivery-status', direction: 'outbound' } as const;

describe('hub customer timeline', () => {
  it('prints each message with its status, edits, reactions and the message it replies to', async () => {
    hub.add({ ...sent, key: 'wamid.1', minute: 0, text: 'Your parcel\nis here' });
    hub.add({ ...aboutIt, key: 's', refersTo: 'wamid.1', minute: 1, properties: { status: 'read' } });
    hub.add({ key: 'wamid.2', minute: 2, text: 'On tuesday?', refersTo: 'wamid.1' });
    hub.add({ key: 'e', kind: 'edit', minute: 3, text: 'On Thursday?', refersTo: 'wamid.2' });
    hub.add({ key: 'r', kind: 'reaction', minute: 4, text: '👍', refersTo: 'wamid.1' });
    hub.add({ key: 'wamid.3', minute: 5, text: 'Oops', attachments: [{ name: 'cat.jpg' }] });
    hub.add({ key: 'd', kind: 'delete', minute: 6, refersTo: 'wamid.3' });
    hub.add({ ...sent, key: 'wamid.4', minute: 7, text: 'See you' });
    const failed = { status: 'failed', error: 'No credit' };
    hub.add({ ...aboutIt, key: 'f', refersTo: 'wamid.4', minute: 8, properties: failed });
    await hub.project();
    await customerCommand(['timeline', ADA]);
    expect(printed.join('\n')).toBe(
      [
        `${at(0)} ← whatsapp  Your parcel is here ✓✓ read`,
        `                           👍 by customer, ${at(4)}`,
        `${at(2)} → whatsapp  On tuesday?`,
        `                           ↳ reply to “Your parcel is here” of ${at(0)}`,
        `                           ✎ edited ${at(3)}: On Thursday?`,
        `${at(5)} → whatsapp  Oops [cat.jpg]`,
        `                           ⌫ deleted ${at(6)}`,
        `${at(7)} ← whatsapp  See you ✗`,
        `                           ✗ failed ${at(8)}: No credit`,
      ].join('\n'),
    );
    printed.length = 0;
    await customerCommand(['timeline', ADA, '--kind', 'reaction', '--kind', 'edit', '--last', '1']);
    expect(printed).toEqual([
      `${at(4)} → whatsapp  reaction 👍`,
      `                           ↳ about “Your parcel is here” of ${at(0)}`,
    ]);
    printed.length = 0;
    await customerCommand(['timeline', ADA, '--raw', '--json', '--channel', 'whatsapp']);
    expect(printed.map((line) => JSON.parse(line).kind)).toHaveLength(9);
    await expect(customerCommand(['timeline', ADA, '--last', 'few'])).rejects.toMatchObject({
      code: 'invalid-arguments',
    });
  });

  it('reads page after page', async () => {
    hub.add({ key: 'wamid.1', minute: 0, text: 'Message 0' });
    await hub.settle();
    const [owner] = await hub.table.get([identifierKey(ADA)]);
    const profileId = owner === undefined ? '' : ownerOf(owner).profileId;
    const found = await hub.table.page(`customer#${profileId}`, { beginsWith: 'at#' });
    const first = found.rows.map(interactionOf).find(({ kind }) => kind === 'message');
    if (first === undefined) throw new Error('The message was not stored.');
    for (let minute = 1; minute < 230; minute++) {
      const one = { ...first, occurredAt: at(minute), text: `Message ${minute}` };
      await hub.table.put({ ...interactionKey(one), ...one });
    }
    printed.length = 0;
    await customerCommand(['timeline', ADA, '--kind', 'message']);
    expect(printed).toHaveLength(230);
    printed.length = 0;
    await customerCommand(['timeline', ADA, '--kind', 'message', '--last', '3']);
    expect(printed.map((line) => line.slice(-3))).toEqual(['227', '228', '229']);
  });
});

it('prints no character that a terminal executes', () => {
  const evil = '\u001b[2J\u009b31m\u202eover\u0007\r\nnext\u2028line';
  const lines = timelineLines({
    ...{
      occurredAt: at(0),
      channel: 'sms',
      direction: 'inbound',
      kind: 'message',
      text: evil,
      subject: evil,
    },
    attachments: [{ name: evil }],
    edited: { at: at(1), text: evil },
    repliesTo: { occurredAt: at(0), kind: 'message', excerpt: evil },
    reactions: [{ at: at(2), by: 'customer', emoji: evil }],
    status: { at: at(1), name: 'failed', failed: { at: at(1) }, reason: evil },
  });
  expect(lines).toHaveLength(5);
  expect(lines.join('')).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e]/u);
  expect(lines[0]).toContain('over');
});
