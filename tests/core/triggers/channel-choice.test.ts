import { describe, expect, it } from 'vitest';
import { HubConfig } from '../../../core/config/hub-config.ts';
import type { Channel } from '../../../core/interaction/interaction.ts';
import { chooseChannel, type TemplateChannels } from '../../../core/triggers/channel-choice.ts';
import { stubTemplate, type TemplateFiles, templateChannels } from '../../../core/triggers/template-files.ts';
import { decided, HOUR, iso, NOON, outcome, person, trigger } from '../../support/triggers/situations.ts';

const through = (channels: readonly string[], fields: object = {}) => ({
  send: { channels, template: 'hello' },
  ...fields,
});
const closed = (reason: 'opt-out' | 'bounce' | 'complaint') => ({
  reason,
  at: iso(NOON - HOUR),
  source: 'x',
});

describe('which consent a category needs', () => {
  it.each([
    ['marketing', 'granted', true],
    ['marketing', 'service-only', false],
    ['marketing', 'unknown', false],
    ['marketing', 'denied', false],
    ['service', 'granted', true],
    ['service', 'service-only', true],
    ['service', 'unknown', true],
    ['service', 'denied', false],
    ['transactional', 'granted', true],
    ['transactional', 'denied', true],
  ] as const)('%s with %s: %s', (category, status, passes) => {
    const customer = person({ consent: { email: status } });
    expect(outcome({ category }, { customer })).toBe(passes ? 'send email' : 'no-consent');
  });

  it('an unanswered channel is unknown, and each channel has its own answer', () => {
    expect(outcome({ category: 'marketing' })).toBe('no-consent');
    const customer = person({ consent: { sms: 'denied' } });
    expect(outcome(through(['sms', 'email']), { customer })).toBe('send email');
  });
});

describe('addresses', () => {
  const addressOf = (channels: readonly string[], told: Parameters<typeof person>[0]): unknown => {
    const decision = decided(through(channels, { category: 'transactional' }), { customer: person(told) });
    return decision.decision === 'send' ? decision.addresses : decision;
  };

  it('SMS takes a phone, WhatsApp a whatsapp or else a phone, chat channels their own', () => {
    const inbound = { whatsapp: iso(NOON - HOUR) };
    expect(addressOf(['sms'], { identifiers: ['whatsapp:1', 'phone:+2'] })).toEqual(['phone:+2']);
    expect(addressOf(['whatsapp'], { identifiers: ['phone:+2', 'whatsapp:1'], inbound })).toEqual([
      'whatsapp:1',
    ]);
    expect(addressOf(['whatsapp'], { identifiers: ['phone:+2'], inbound })).toEqual(['phone:+2']);
    expect(addressOf(['messenger'], { identifiers: ['messenger:p:1', 'email:a@b.c'] })).toEqual([
      'messenger:p:1',
    ]);
  });

  it('of several takes the one last heard from, else the first', () => {
    const identifiers = ['email:one@x.y', 'email:two@x.y', 'email:three@x.y'];
    expect(addressOf(['email'], { identifiers })).toEqual(['email:one@x.y']);
    const heard = { 'email:two@x.y': iso(NOON - HOUR), 'email:three@x.y': iso(NOON - 2 * HOUR) };
    expect(addressOf(['email'], { identifiers, heard })).toEqual(['email:two@x.y']);
  });

  it('a closed address is closed to every category; another of the same channel serves', () => {
    const one = { identifiers: ['email:one@x.y'], closed: { 'email:one@x.y': closed('bounce') } };
    expect(addressOf(['email'], one)).toMatchObject({ reason: 'address-closed', channel: 'email' });
    const heard = { 'email:one@x.y': iso(NOON) };
    expect(addressOf(['email'], { ...one, heard, identifiers: ['email:one@x.y', 'email:two@x.y'] })).toEqual([
      'email:two@x.y',
    ]);
  });
});

describe('preferred', () => {
  const channels = ['preferred', 'email'];

  it('is the stated preference, also one that is not listed', () => {
    const customer = person({ preferences: { channel: 'sms' }, inbound: { email: iso(NOON) } });
    expect(outcome(through(channels), { customer })).toBe('send sms');
  });

  it('else the channel of the last inbound message that can carry one', () => {
    const inbound = {
      sms: iso(NOON - 2 * HOUR),
      email: iso(NOON - 3 * HOUR),
      voice: iso(NOON),
      web: iso(NOON),
    };
    expect(outcome(through(channels), { customer: person({ inbound }) })).toBe('send sms');
  });

  it('of several channels is the one heard from last, whichever comes first', () => {
    const heard = (sms: number, email: number) =>
      outcome(through(['preferred']), {
        customer: person({ inbound: { sms: iso(NOON - sms), email: iso(NOON - email) } }),
      });
    expect([heard(1, 2), heard(2, 1)]).toEqual(['send sms', 'send email']);
  });

  it('counts only where it stands in the list, and is skipped when nothing resolves', () => {
    expect(outcome(through(channels))).toBe('send email');
    expect(
      outcome(through(['email', 'preferred']), { customer: person({ preferences: { channel: 'sms' } }) }),
    ).toBe('send email');
    expect(outcome(through(['preferred']))).toBe('no-address');
  });
});

describe('a team', () => {
  const team = (
    teams: object,
    channels?: readonly string[],
    templates?: Record<string, TemplateChannels>,
    senders: object = { email: 'ses', sms: 'aws-sms' },
  ) => {
    const send = { template: 'hello', to: { team: 'sales' }, ...(channels && { channels }) };
    const hub = { teams: { sales: teams }, senders };
    const decision = decided({ send }, { hub, ...(templates && { templates }) });
    const step = decision.steps.find(({ step: name }) => name === 'team sales')?.result;
    if (decision.decision === 'send') return ['send', decision.channel, decision.addresses, step];
    return decision.decision === 'suppress' ? [decision.reason, decision.channel, step] : [];
  };
  const both = { email: ['a@acme.example', 'b@acme.example'], sms: ['+390612345'] };

  it('gets the message at all its addresses of the first medium, in the order e-mail, SMS', () => {
    expect(team(both)).toEqual(['send', 'email', ['email:a@acme.example', 'email:b@acme.example'], 'email']);
    expect(team(both, ['sms'])).toEqual(['send', 'sms', ['phone:+390612345'], 'sms']);
    expect(team({ sms: both.sms })).toEqual(['send', 'sms', ['phone:+390612345'], 'sms']);
  });

  it('gets the message in the order of the trigger, where it names channels', () => {
    expect(team(both, ['sms', 'email'])[1]).toBe('sms');
    expect(team(both, ['slack', 'email'])[1]).toBe('email');
  });

  it('gets it in its channel of Slack where the hub has a sender for Slack', () => {
    const all = { ...both, slack: '#leads' };
    const sent = ['send', 'slack', ['slack:#leads'], 'slack'];
    expect(team(all, ['slack'], undefined, { slack: 'slack' })).toEqual(sent);
    expect(team({ slack: '#leads' }, undefined, undefined, { slack: 'slack' })).toEqual(sent);
    expect(team(all, undefined, undefined, { slack: 'slack' })[1]).toBe('email');
    expect(team(all, ['slack'])).toEqual(['no-address', undefined, 'no-address']);
  });

  it('gets it through a medium that the template has a text for', () => {
    const files = (name: string) => ({ hello: templateChannels({ [name]: 'x' }) });
    expect(team(both, undefined, files('sms.liquid')).slice(0, 2)).toEqual(['send', 'sms']);
    expect(team(both, undefined, files('push.liquid'))).toEqual(['no-template', 'email', 'no-template']);
    expect(team(both, undefined, {})).toEqual(['no-template', 'email', 'no-template']);
    expect(team({}, undefined, files('sms.liquid'))).toEqual(['no-address', undefined, 'no-address']);
  });
});

describe('a channel whose sender has refused the message', () => {
  it('is not chosen again', () => {
    const context = {
      ...{ trigger: trigger(through(['sms', 'email'])), hub: HubConfig.parse({}), customer: person() },
      ...{ carried: [], addresses: new Map(), now: NOON },
      templates: { hello: templateChannels(stubTemplate('hello')) },
    };
    const chosen = (refused: readonly Channel[]) => chooseChannel(context, 'hello', () => {}, refused);
    expect(chosen([])).toMatchObject({ channel: 'sms' });
    expect(chosen(['sms'])).toMatchObject({ channel: 'email' });
    expect(chosen(['sms', 'email'])).toEqual({ reason: 'no-address', channel: undefined });
  });
});

describe('the reasons to skip a channel', () => {
  it('is asked in one order: address, closed, consent, window, template', () => {
    const nothing = { templates: {} };
    const first = (told: Parameters<typeof person>[0], category = 'service'): string =>
      outcome(through(['whatsapp'], { category }), { ...nothing, customer: person(told) });
    const number = { identifiers: ['whatsapp:1'] };
    expect(first({ identifiers: ['email:a@b.c'] })).toBe('no-address');
    expect(
      first({ ...number, closed: { 'whatsapp:1': closed('opt-out') }, consent: { whatsapp: 'denied' } }),
    ).toBe('address-closed');
    expect(first({ ...number, consent: { whatsapp: 'denied' } })).toBe('no-consent');
    expect(first(number)).toBe('channel-closed');
    expect(first({ ...number, inbound: { whatsapp: iso(NOON) } })).toBe('no-template');
  });

  it('the reason of the first channel in the list stands for all', () => {
    const customer = person({ identifiers: ['email:a@b.c'], consent: { email: 'denied' } });
    expect(decided(through(['email', 'sms']), { customer })).toMatchObject({
      reason: 'no-consent',
      channel: 'email',
    });
    expect(outcome(through(['sms', 'email']), { customer })).toBe('no-address');
  });
});

describe('WhatsApp’s window', () => {
  const approved: TemplateFiles = { ...stubTemplate('hello'), 'whatsapp.yaml': 'name: hello\n' };
  const { 'sms.liquid': _, ...withoutText } = approved;
  const whatsapp = (heardAgo: number | undefined, files: TemplateFiles): unknown => {
    const inbound = heardAgo === undefined ? {} : { whatsapp: iso(NOON - heardAgo) };
    const customer = person({ identifiers: ['whatsapp:1'], inbound });
    const decision = decided(through(['whatsapp']), {
      customer,
      templates: { hello: templateChannels(files) },
    });
    if (decision.decision === 'suppress') return decision.reason;
    return decision.decision === 'send' && decision.approved ? 'approved' : 'text';
  };

  it('is open for 24 hours after the last inbound message', () => {
    expect(whatsapp(24 * HOUR - 1, stubTemplate('hello'))).toBe('text');
    expect(whatsapp(24 * HOUR, stubTemplate('hello'))).toBe('channel-closed');
    expect(whatsapp(undefined, stubTemplate('hello'))).toBe('channel-closed');
  });

  it('outside of it an approved template goes; inside text, where there is any', () => {
    expect(whatsapp(undefined, approved)).toBe('approved');
    expect(whatsapp(HOUR, approved)).toBe('text');
    expect(whatsapp(HOUR, withoutText)).toBe('approved');
  });
});
