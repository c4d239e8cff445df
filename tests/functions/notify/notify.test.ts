import { beforeEach, describe, expect, it } from 'vitest';
import { HubConfig } from '../../../core/config/hub-config.ts';
import type { HubError } from '../../../core/errors.ts';
import type { Notification } from '../../../core/triggers/notification.ts';
import { NotNow, type OutgoingMessage, refusal, type Sender } from '../../../core/triggers/sending/sender.ts';
import { pause, publish } from '../../../functions/aws/triggers/publish.ts';
import { notificationKey } from '../../../functions/contracts/keys.ts';
import type { InteractionMessage } from '../../../functions/contracts/messages/record.ts';
import { decide } from '../../../functions/decide/decide.ts';
import { notify } from '../../../functions/notify/notify.ts';
import type { NotifyPorts } from '../../../functions/notify/ports.ts';
import { noPause } from '../../support/no-pause.ts';
import { iso, NOON } from '../../support/triggers/situations.ts';
import {
  decisionAbout,
  openTriggerTable,
  type TriggerTable,
  templates,
} from '../../support/triggers/trigger-table.ts';

let hub: TriggerTable;
let sent: (OutgoingMessage & { readonly by: string })[];
let recorded: InteractionMessage[];
let told: { readonly type: string; readonly notification: Notification }[];
let failures: HubError[];
let answer: (message: OutgoingMessage, by: string) => Promise<string>;

beforeEach(async () => {
  hub = await openTriggerTable();
  [sent, recorded, told, failures] = [[], [], [], []];
  answer = async () => `id-${sent.length}`;
});

const message = { profileId: 'ada', trigger: 'hello', interaction: 'cause' };

const sender = (id: string): Sender => ({
  id,
  provider: `${id}-provider`,
  async send(outgoing) {
    const externalId = await answer(outgoing, id);
    sent.push({ ...outgoing, by: id });
    return externalId;
  },
});

const portsOf = (overrides: Partial<NotifyPorts> = {}): NotifyPorts => ({
  ...{ notifications: hub.notifications, triggers: hub.triggers, history: hub.history, hub: hub.hub },
  ...{ guests: hub.guests, addresses: hub.addresses },
  sender: (id) => (id === 'ses' || id === 'aws-sms' ? sender(id) : undefined),
  links: async (address, channel) => ({
    unsubscribe: `https://hub.example/unsubscribe/${address}-${channel}`,
    preferences: `https://hub.example/preferences/${address}`,
  }),
  clickLinks: async () => (link) => `https://hub.example/r/${link.trigger}/${link.url}`,
  record: async (one) => void recorded.push(one),
  publishEvent: async (type, notification) => void told.push({ type, notification }),
  saveFailure: async (failure) => void failures.push(failure),
  now: hub.runtime.now,
  sleep: async () => {},
  ...overrides,
});

/** A notification of Ada's, reserved by the production decision. */
const reservation = async (fields: Record<string, unknown> = {}, files = templates): Promise<void> => {
  await hub.putPerson({ consent: { email: 'granted', sms: 'granted' } });
  const cause = await hub.putInteraction('cause', { properties: { total: 60 } });
  const definition = {
    ...{ id: 'hello', category: 'service', on: { kind: ['message'] } },
    ...{ send: { channels: ['email', 'sms'], template: 'hello' }, ...fields },
  };
  await publish(hub.publishing, definition, files);
  await decide({
    ...{ triggers: hub.triggers, notifications: hub.notifications, history: hub.history, hub: hub.hub },
    ...{ guests: hub.guests, addresses: hub.addresses },
    ...{
      schedule: async () => {},
      enqueue: async () => {},
      publishSuppressed: async () => {},
      publishWaiting: async () => {},
      publishGoal: async () => {},
      now: hub.runtime.now,
      pausing: noPause,
    },
  })(decisionAbout(cause));
};
const row = async (): Promise<Notification | undefined> => hub.notifications.get(message);
const refused = () => refusal('The vendor said no.');

describe('a reserved notification', () => {
  it('is sent, recorded as an interaction and published', async () => {
    await reservation();
    await notify(portsOf())(message);
    expect(sent).toMatchObject([
      { by: 'ses', to: 'ada@example.com', id: 'hello.cause', from: 'no-reply@acme.example' },
    ]);
    expect(recorded).toMatchObject([
      {
        type: 'interaction',
        interaction: {
          ...{ key: 'hello.cause', provider: 'ses-provider', externalId: 'id-0', kind: 'notification' },
          ...{
            channel: 'email',
            direction: 'outbound',
            occurredAt: iso(NOON),
            subject: 'hello',
            text: 'hello',
          },
          identifiers: ['email:ada@example.com'],
          properties: {
            trigger: 'hello',
            version: 1,
            category: 'service',
            status: 'sent',
            template: 'hello',
          },
        },
      },
    ]);
    expect(told).toMatchObject([{ type: 'notification.sent', notification: { channel: 'email' } }]);
    expect(await row()).toMatchObject({ status: 'sent', externalIds: { 'email:ada@example.com': 'id-0' } });
  });

  it.each(['marketing', 'service'])(
    'of %s that arrives several times at once is sent once',
    async (category) => {
      await reservation({ category });
      const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => notify(portsOf())(message)));
      expect(sent).toHaveLength(1);
      expect(await row()).toMatchObject({ status: 'sent' });
      for (const outcome of outcomes)
        if (outcome.status === 'rejected')
          expect(outcome.reason).toMatchObject({ code: 'write-conflict', retry: 'later' });
    },
  );

  it('leaves the table when the retention of interactions is over', async () => {
    await reservation();
    await notify(portsOf())(message);
    const [stored] = await hub.rows.get([notificationKey(message)]);
    expect(stored?.['expiresAt']).toBe(NOON / 1000 + 3 * 365 * 86_400);
  });

  it('is not sent again after a redelivery, but recorded and published with the same ids', async () => {
    await reservation();
    await notify(portsOf())(message);
    await notify(portsOf())(message);
    expect(sent).toHaveLength(1);
    expect(recorded[1]).toEqual(recorded[0]);
  });

  it('is recorded at the next try where the first stopped between sending and recording', async () => {
    await reservation({ category: 'marketing' });
    const broken = portsOf({ record: () => Promise.reject(new Error('the queue is away')) });
    await expect(notify(broken)(message)).rejects.toThrow('the queue is away');
    await notify(portsOf())(message);
    expect(sent).toHaveLength(1);
    expect(recorded).toMatchObject([{ interaction: { externalId: 'id-0' } }]);
  });

  it('of marketing carries one-click unsubscribe; of service it does not, though its template may link', async () => {
    const linked = {
      hello: { 'email.liquid': '---\nsubject: S\n---\n<a href="{{ links.unsubscribe }}">stop</a>' },
    };
    await reservation({ category: 'marketing' }, linked);
    await notify(portsOf())(message);
    const link = 'https://hub.example/unsubscribe/email:ada@example.com-email';
    expect(sent).toMatchObject([{ unsubscribe: link, html: `<a href="${link}">stop</a>` }]);
  });

  it('stands on the timeline without what would let its reader choose in the name of the customer', async () => {
    const plain = { hello: { 'email.liquid': '---\nsubject: S\n---\nStop: {{ links.unsubscribe }}' } };
    await reservation({}, plain);
    await notify(portsOf())(message);
    expect(sent).toMatchObject([
      { text: 'Stop: https://hub.example/unsubscribe/email:ada@example.com-email' },
    ]);
    expect(recorded).toMatchObject([{ interaction: { text: 'Stop: https://hub.example/unsubscribe/…' } }]);
  });

  it('is withheld when its trigger is paused meanwhile', async () => {
    await reservation();
    await pause(hub.publishing, 'hello');
    await notify(portsOf())(message);
    expect(sent).toEqual([]);
    expect(await row()).toMatchObject({ status: 'suppressed', reason: 'paused' });
  });

  it('of a person who is gone is not sent', async () => {
    await reservation();
    await notify(portsOf({ history: { ...hub.history, customer: async () => undefined } }))(message);
    expect(sent).toEqual([]);
  });
});

describe('two deliveries of one message', () => {
  it.each(['marketing', 'service'])('at the same time send once (%s)', async (category) => {
    await reservation({ category });
    const open = { go: (): void => {} };
    answer = () => new Promise((resolve) => (open.go = () => resolve('id')));
    const first = notify(portsOf())(message);
    while ((await row())?.status !== 'sending') await new Promise((resolve) => setImmediate(resolve));
    await expect(notify(portsOf())(message)).rejects.toMatchObject({
      code: 'write-conflict',
      retry: 'later',
    });
    open.go();
    await first;
    expect(sent).toHaveLength(1);
    expect(await row()).toMatchObject({ status: 'sent' });
  });

  it('that read the row at the same time send once, and both end', async () => {
    await reservation();
    const sleep = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    await Promise.all([notify(portsOf({ sleep }))(message), notify(portsOf({ sleep }))(message)]);
    expect(sent).toHaveLength(1);
    expect(await row()).toMatchObject({ status: 'sent' });
  });

  it('the second waits some seconds for the first, and records the same', async () => {
    await reservation();
    const open = { go: (): void => {} };
    answer = () => new Promise((resolve) => (open.go = () => resolve('id')));
    const first = notify(portsOf())(message);
    while ((await row())?.status !== 'sending') await new Promise((resolve) => setImmediate(resolve));
    const sleep = async (): Promise<void> => {
      open.go();
      await first;
    };
    await notify(portsOf({ sleep }))(message);
    expect(sent).toHaveLength(1);
    expect(recorded[1]).toEqual(recorded[0]);
  });

  it.each([
    ['marketing', 'failed', 0],
    ['service', 'sent', 1],
  ])('after the first broke off: %s is %s', async (category, status, count) => {
    await reservation({ category });
    const present = await row();
    if (present === undefined) throw new Error('nothing was reserved');
    await hub.notifications.save({ ...present, status: 'sending', until: iso(NOON + 60_000) });
    await expect(notify(portsOf())(message)).rejects.toMatchObject({ code: 'write-conflict' });
    await hub.clock.runUntil(NOON + 60_000);
    await notify(portsOf())(message);
    expect(sent).toHaveLength(count);
    expect(await row()).toMatchObject({ status, ...(status === 'failed' && { reason: 'uncertain-send' }) });
    expect(failures).toHaveLength(1 - count);
  });
});

describe('a sender that refuses', () => {
  it('for good: the next channel of the list takes it', async () => {
    await reservation();
    answer = async (_, by) => {
      if (by === 'ses') throw refused();
      return 'sms-id';
    };
    await notify(portsOf())(message);
    expect(sent).toMatchObject([{ by: 'aws-sms', to: '+14155550100' }]);
    expect(recorded).toMatchObject([
      { interaction: { channel: 'sms', identifiers: ['phone:+14155550100'] } },
    ]);
    expect(await row()).toMatchObject({ status: 'sent', channel: 'sms', refused: ['email'] });
  });

  it('for good, and there is no other channel: a failure that says why', async () => {
    await reservation();
    answer = async () => Promise.reject(refused());
    await notify(portsOf())(message);
    expect(failures).toMatchObject([{ code: 'sender-refusal' }]);
    expect(told).toMatchObject([{ type: 'notification.failed' }]);
    expect(await row()).toMatchObject({
      status: 'failed',
      reason: 'sender-refusal',
      refused: ['email', 'sms'],
    });
  });

  it.each(['marketing', 'service'])('for now: it is reserved as before, and waits (%s)', async (category) => {
    await reservation({ category });
    const by = new NotNow('rate', 'Too many.');
    answer = async () => Promise.reject(by);
    expect(await notify(portsOf())(message)).toEqual({ sender: 'ses', by });
    expect(await row()).toMatchObject({ status: 'reserved' });
    expect((await row())?.until).toBeUndefined();
    expect(failures).toEqual([]);
    answer = async () => 'id';
    await notify(portsOf())(message);
    expect(sent).toHaveLength(1);
  });

  it.each([
    ['marketing', 'failed', 1],
    ['service', 'sending', 0],
  ])('without saying whether it was sent: %s is %s', async (category, status, kept) => {
    await reservation({ category });
    answer = async () => Promise.reject(new Error('socket hang up'));
    const tried = notify(portsOf())(message);
    if (category === 'marketing') await tried;
    else await expect(tried).rejects.toThrow('socket hang up');
    expect(await row()).toMatchObject({ status });
    expect(failures).toHaveLength(kept);
  });

  it('for now, as it has a hundred times because of this message: the next channel of the list takes it', async () => {
    await reservation();
    answer = async (_, by) => {
      if (by === 'ses') throw new NotNow('down', 'Something went wrong.');
      return 'sms-id';
    };
    expect(await notify(portsOf())({ ...message, deferrals: 99 })).toMatchObject({ sender: 'ses' });
    await notify(portsOf())({ ...message, deferrals: 100 });
    expect(sent).toMatchObject([{ by: 'aws-sms' }]);
  });

  it('a channel without a sender counts as refused', async () => {
    await reservation();
    await notify(portsOf({ sender: (id) => (id === 'aws-sms' ? sender(id) : undefined) }))(message);
    expect(sent).toMatchObject([{ by: 'aws-sms' }]);
  });
});

describe('a channel with several senders', () => {
  const hubOf = async () =>
    HubConfig.parse({ senders: { email: { use: ['ses', 'sendgrid', 'postmark'] }, sms: 'aws-sms' } });
  const ports = () => portsOf({ hub: hubOf, sender });

  it('goes to the next one where one refuses, and is recorded with the provider of the one that sent', async () => {
    await reservation();
    answer = async (_, by) => {
      if (by !== 'postmark') throw refused();
      return 'id';
    };
    await notify(ports())(message);
    expect(sent).toMatchObject([{ by: 'postmark', to: 'ada@example.com' }]);
    expect(recorded).toMatchObject([{ interaction: { provider: 'postmark-provider', channel: 'email' } }]);
    expect(await row()).toMatchObject({
      ...{ status: 'sent', sender: 'postmark', refusedBy: ['ses', 'sendgrid'] },
    });
    await notify(portsOf({ sender }))(message);
    expect(recorded[1]).toEqual(recorded[0]);
  });

  it('goes to the next channel where all refuse', async () => {
    await reservation();
    answer = async (_, by) => {
      if (by !== 'aws-sms') throw refused();
      return 'id';
    };
    await notify(ports())(message);
    expect(sent).toMatchObject([{ by: 'aws-sms' }]);
    expect(await row()).toMatchObject({ status: 'sent', channel: 'sms', sender: 'aws-sms' });
  });

  it.each([
    ['marketing', 'failed'],
    ['service', 'sending'],
  ])('never takes another sender where one may have sent it (%s)', async (category, status) => {
    await reservation({ category });
    const asked: string[] = [];
    answer = async (_, by) => {
      asked.push(by);
      throw new Error('socket hang up');
    };
    await notify(ports())(message).catch(() => {});
    expect(asked).toEqual(['ses']);
    expect(await row()).toMatchObject({ status, sender: 'ses' });
    if (category === 'marketing') return;
    // Also where the first takes no messages when the send counts as interrupted.
    await hub.clock.runUntil(NOON + 60_000);
    await notify(ports())(message, undefined, 'sendgrid').catch(() => {});
    expect(asked).toEqual(['ses', 'ses']);
  });

  it('takes the one that it is told to take, and the first again after that one had no time', async () => {
    await reservation();
    const by = new NotNow('account', 'Paused.');
    answer = async () => Promise.reject(by);
    expect(await notify(ports())(message, undefined, 'sendgrid')).toEqual({ sender: 'sendgrid', by });
    answer = async () => 'id';
    await notify(ports())(message);
    expect(sent).toMatchObject([{ by: 'ses' }]);
  });
});

it('a template that misses a variable is a failure, not another channel', async () => {
  await reservation({}, { hello: { 'email.liquid': 'For {{ customer.name.first }}', 'sms.liquid': 'x' } });
  await notify(portsOf())(message);
  expect(sent).toEqual([]);
  expect(failures).toMatchObject([{ code: 'template-failure' }]);
  expect(failures[0]?.message).toMatch(/customer\.name\.first/u);
});

describe('a message to colleagues', () => {
  const team = async () =>
    HubConfig.parse({ teams: { sales: { email: ['one@acme.example', 'two@acme.example'] } } });

  it('goes to each member; a refusal for one does not stop the others; no address is added to the customer', async () => {
    hub.hub = team;
    await reservation({ send: { to: { team: 'sales' }, template: 'hello' } });
    answer = async ({ to }) => (to.startsWith('one') ? Promise.reject(refused()) : 'id');
    await notify(portsOf())(message);
    expect(sent).toMatchObject([{ to: 'two@acme.example', id: 'hello.cause.1' }]);
    expect(recorded).toMatchObject([{ causedBy: 'ada', interaction: { identifiers: [] } }]);
    expect(await row()).toMatchObject({ status: 'sent' });
  });

  it('has no other channel to go through', async () => {
    hub.hub = team;
    await reservation({ send: { to: { team: 'sales' }, template: 'hello' } });
    answer = async () => Promise.reject(refused());
    await notify(portsOf())(message);
    expect(await row()).toMatchObject({ status: 'failed' });
  });
});
