import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Channel, Interaction } from '../../../core/interaction/interaction.ts';
import {
  applyToConversation,
  type Conversation,
  closedConversation,
  conversationRole,
  conversationView,
  mergeConversations,
  replyOf,
} from '../../../core/timeline/conversation.ts';

const MINUTE = 60_000;
const SILENCE = 60 * MINUTE;
const START = Date.parse('2026-03-02T09:00:00Z');
const at = (minute: number): string => new Date(START + minute * MINUTE).toISOString();

type Part = 'ask' | 'answer' | 'status';
interface Act {
  readonly part: Part;
  readonly minute: number;
  readonly channel?: Channel;
}
const interaction = ({ part, minute, channel = 'sms' }: Act): Interaction => ({
  ...{ id: `${part}${minute}`, provider: 'test', channel, identifiers: [], occurredAt: at(minute) },
  kind: part === 'status' ? 'delivery-status' : 'message',
  direction: part === 'ask' ? 'inbound' : 'outbound',
});
const told = (acts: readonly Act[], before?: Conversation): Conversation | undefined =>
  acts.reduce((state, act) => applyToConversation(state, interaction(act), SILENCE), before);
const view = (conversation: Conversation | undefined, minute: number) =>
  conversationView(conversation, SILENCE, START + minute * MINUTE);

/** All acts in a list, read from the beginning each time. */
const modelView = (acts: readonly Act[], minute: number) => {
  const said = acts
    .filter(({ part }) => part !== 'status')
    .toSorted((one, other) => one.minute - other.minute || (one.part === 'ask' ? -1 : 1));
  let stretch: Act[] = [];
  for (const act of said) {
    const gap = act.minute - (stretch.at(-1)?.minute ?? act.minute);
    stretch = gap * MINUTE > SILENCE ? [act] : [...stretch, act];
  }
  const last = stretch.at(-1);
  if (last === undefined) return undefined;
  const lastAnswer = said.findLast(({ part }) => part === 'answer')?.minute ?? -1;
  const waiting = said.find((act) => act.part === 'ask' && act.minute > lastAnswer);
  const asked = stretch.find(({ part }) => part === 'ask');
  const answer = asked && stretch.find((act) => act.part === 'answer' && act.minute >= asked.minute);
  const isSilent = (minute - last.minute) * MINUTE > SILENCE;
  return {
    state: waiting ? 'waiting' : isSilent ? 'resolved' : 'answered',
    startedAt: at(stretch[0]?.minute ?? 0),
    lastAt: at(last.minute),
    channels: ['sms'],
    ...(waiting && { waitingSince: at(waiting.minute) }),
    ...(asked && answer && { firstResponseSeconds: (answer.minute - asked.minute) * 60 }),
    ...(!waiting && isSilent && { resolvedAt: at(last.minute + 60) }),
  };
};

const Part = fc.constantFrom<Part>('ask', 'answer', 'status');
/** Acts in the order of their time, at different minutes. */
const actsUpTo = (longestGap: number) =>
  fc
    .array(fc.record({ part: Part, gap: fc.integer({ min: 1, max: longestGap }) }), { maxLength: 9 })
    .map((steps) =>
      steps.map(
        ({ part }, place): Act => ({
          part,
          minute: steps.slice(0, place + 1).reduce((sum, { gap }) => sum + gap, 0),
        }),
      ),
    );
const Acts = actsUpTo(90);

describe('a conversation', () => {
  it('is what the list of its interactions gives', () => {
    fc.assert(
      fc.property(Acts, fc.integer({ min: 0, max: 200 }), (acts, later) => {
        const now = (acts.at(-1)?.minute ?? 0) + later;
        expect(view(told(acts), now)).toEqual(modelView(acts, now));
      }),
      { numRuns: 1000 },
    );
  });

  it('does not depend on the order of arrival, while each interaction overtakes at most two others and one silence', () => {
    const Delays = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 9, maxLength: 9 });
    fc.assert(
      fc.property(Acts, Delays, (acts, delays) => {
        const arriving = acts
          .map((act, place) => ({ act, when: place + (delays[place] ?? 0) }))
          .toSorted((one, other) => one.when - other.when)
          .map(({ act }) => act);
        const lateness = arriving.map(
          ({ minute }, place) => Math.max(...arriving.slice(0, place + 1).map((one) => one.minute)) - minute,
        );
        fc.pre(Math.max(0, ...lateness) * MINUTE <= SILENCE);
        const now = acts.at(-1)?.minute ?? 0;
        expect(view(told(arriving), now)).toEqual(view(told(acts), now));
      }),
      { numRuns: 2000 },
    );
  });

  it('of a merged customer is that of all interactions, in whichever source profile', () => {
    const sides = fc.array(fc.boolean(), { minLength: 9, maxLength: 9 });
    // Each half keeps its two newest stretches, and the answers nearest to its own first question.
    fc.assert(
      fc.property(actsUpTo(15), sides, (acts, side) => {
        const [left, right] = [true, false].map((one) =>
          told(acts.filter((_, place) => side[place] === one)),
        );
        const now = acts.at(-1)?.minute ?? 0;
        const { firstResponseSeconds: _, ...whole } = view(told(acts), now) ?? {};
        for (const both of [mergeConversations(left, right), mergeConversations(right, left)])
          expect({ ...view(both, now), firstResponseSeconds: undefined }).toEqual(whole);
      }),
      { numRuns: 1000 },
    );
  });

  it('of a merged customer has the first answer, in whichever source profile', () => {
    const asked = told([{ part: 'ask', minute: 0 }]);
    const answered = told([
      { part: 'answer', minute: 10 },
      { part: 'answer', minute: 20 },
    ]);
    expect(view(mergeConversations(asked, answered), 20)?.firstResponseSeconds).toBe(600);
    expect(view(mergeConversations(answered, asked), 20)?.firstResponseSeconds).toBe(600);
  });

  it('is the same after a redelivery', () => {
    fc.assert(
      fc.property(Acts, (acts) => {
        const once = told(acts);
        const last = acts.at(-1);
        expect(last ? told([last], once) : once).toEqual(once);
      }),
    );
  });

  it('spans channels and begins anew after the silence', () => {
    const acts: Act[] = [
      { part: 'ask', minute: 0, channel: 'whatsapp' },
      { part: 'answer', minute: 60, channel: 'email' },
    ];
    expect(view(told(acts), 61)).toEqual({
      ...{ state: 'answered', startedAt: at(0), lastAt: at(60), channels: ['email', 'whatsapp'] },
      firstResponseSeconds: 3600,
    });
    const anew = told([{ part: 'ask', minute: 121 }], told(acts));
    expect(view(anew, 121)).toMatchObject({ startedAt: at(121), state: 'waiting', channels: ['sms'] });
  });

  it('that was closed is resolved until the customer writes again', () => {
    const asked = told([{ part: 'ask', minute: 0 }]);
    const shut = closedConversation(asked, at(5), SILENCE);
    expect(view(shut, 6)).toMatchObject({ state: 'resolved', resolvedAt: at(5), resolutionSeconds: 300 });
    expect(view(told([{ part: 'answer', minute: 7 }], shut), 8)?.state).toBe('resolved');
    const reopened = told([{ part: 'ask', minute: 9 }], shut);
    expect(view(reopened, 9)).toMatchObject({ state: 'waiting', waitingSince: at(9), startedAt: at(0) });
    expect(view(told([{ part: 'answer', minute: 10 }], reopened), 10)?.state).toBe('answered');
  });

  it('stays open for our answer after any silence', () => {
    expect(view(told([{ part: 'ask', minute: 0 }]), 10_000)).toMatchObject({
      state: 'waiting',
      waitingSince: at(0),
    });
  });

  it('keeps its row small after a thousand messages', () => {
    const acts = Array.from({ length: 1000 }, (_, minute): Act => ({ part: 'ask', minute }));
    const much = told(acts);
    expect(JSON.stringify(much).length).toBeLessThan(600);
    expect(view(much, 1000)).toMatchObject({ startedAt: at(0), waitingSince: at(0) });
  });
});

describe('an answer', () => {
  const reply = (before: readonly Act[], minute: number) =>
    replyOf(told(before), interaction({ part: 'answer', minute }), SILENCE);

  it('takes as long as the oldest open question waits, and only one is the first', () => {
    const asked: Act[] = [
      { part: 'ask', minute: 0 },
      { part: 'ask', minute: 3 },
    ];
    expect(reply(asked, 5)).toEqual({ seconds: 300, first: true });
    const more: Act[] = [...asked, { part: 'answer', minute: 5 }];
    expect(reply(more, 6)).toBeUndefined();
    expect(reply([...more, { part: 'ask', minute: 10 }], 12)).toEqual({ seconds: 120, first: false });
  });

  it('before any question answers nothing', () => {
    expect(reply([], 1)).toBeUndefined();
    expect(reply([{ part: 'ask', minute: 5 }], 1)).toBeUndefined();
  });
});

it.each([
  [{ kind: 'message', direction: 'inbound' }, 'asks'],
  [{ kind: 'message', direction: 'inbound', text: ' stop ' }, 'talks'],
  [{ kind: 'message', direction: 'inbound', text: 'stop it now' }, 'asks'],
  [{ kind: 'form', direction: 'inbound' }, 'asks'],
  [{ kind: 'form', direction: 'inbound', properties: { rating: 5 } }, 'talks'],
  [{ kind: 'comment', direction: 'inbound' }, 'asks'],
  [{ kind: 'postback', direction: 'inbound' }, 'asks'],
  [{ kind: 'call', direction: 'inbound', properties: { status: 'no-answer' } }, 'asks'],
  [{ kind: 'call', direction: 'outbound', properties: { status: 'completed' } }, 'answers'],
  [{ kind: 'call', direction: 'outbound', properties: { status: 'busy' } }, 'talks'],
  [{ kind: 'message', direction: 'outbound' }, 'answers'],
  [{ kind: 'echo', direction: 'outbound' }, 'answers'],
  [{ kind: 'message', direction: 'outbound', properties: { automated: true } }, undefined],
  [{ kind: 'notification', direction: 'outbound' }, undefined],
  [{ kind: 'open', direction: 'inbound' }, undefined],
  [{ kind: 'delivery-status', direction: 'outbound' }, undefined],
  [{ kind: 'order', direction: 'inbound' }, undefined],
  [{ kind: 'system', direction: 'system', properties: { status: 'closed' } }, 'closes'],
] as const)('%j is the part %s', (act, part) => {
  expect(conversationRole({ ...interaction({ part: 'ask', minute: 0 }), ...act })).toBe(part);
});
