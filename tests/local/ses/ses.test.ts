import {
  CreateConfigurationSetCommand,
  CreateConfigurationSetEventDestinationCommand,
  GetSendQuotaCommand,
  ListIdentitiesCommand,
  SESClient,
  SendEmailCommand,
  SendRawEmailCommand,
  type SendRawEmailCommandInput,
  VerifyDomainIdentityCommand,
  VerifyEmailIdentityCommand,
} from '@aws-sdk/client-ses';
import { describe, expect, it } from 'vitest';
import { sentMessages } from '../../../infra/local/inbox/sent-messages.ts';
import { type SesOptions, ses } from '../../../infra/local/ses/index.ts';
import { clientOf, serviceContext } from '../../support/service-context.ts';

const open = (options: SesOptions = { verified: ['acme.example', 'a@example.com'] }) => {
  const around = serviceContext();
  const sent = sentMessages(around.db);
  const client = new SESClient(clientOf(ses(around, sent, options)));
  const send = (to: string[], from = 'shop@acme.example') =>
    client.send(
      new SendEmailCommand({
        Source: from,
        Destination: { ToAddresses: to },
        Message: {
          Subject: { Data: 'Grüße & <more>' },
          Body: { Text: { Data: 'line\r\none' }, Html: { Data: '<p>a&amp;b</p>' } },
        },
        Tags: [{ Name: 'notification', Value: 'n-1' }],
      }),
    );
  const sendRaw = (lines: string[], more: Partial<SendRawEmailCommandInput> = {}) =>
    client.send(new SendRawEmailCommand({ RawMessage: { Data: Buffer.from(lines.join('\r\n')) }, ...more }));
  return { ...around, client, sent, send, sendRaw };
};

describe('SES', () => {
  it('keeps what SendEmail sends, in the words it was given', async () => {
    const { sent, send } = open();
    const { MessageId } = await send(['Ada Lovelace <ada@example.com>', 'bob@example.com']);
    expect(sent.list()).toEqual([
      {
        id: MessageId,
        at: '2026-03-01T09:00:00.000Z',
        medium: 'email',
        to: ['Ada Lovelace <ada@example.com>', 'bob@example.com'],
        from: 'shop@acme.example',
        subject: 'Grüße & <more>',
        text: 'line\r\none',
        html: '<p>a&amp;b</p>',
        tags: { notification: 'n-1' },
      },
    ]);
  });

  it('reads a raw mail, and keeps its bytes', async () => {
    const { sent, sendRaw } = open();
    const lines = [
      'From: Shop <shop@acme.example>',
      'To: Ada <ada@example.com>, team: bob@example.com, eve@example.com;',
      'Cc: cc@example.com',
      'Subject: =?utf-8?B?R3LDvMOfZQ==?=',
      'List-Unsubscribe: <https://acme.example/u>',
      'Content-Type: multipart/alternative; boundary=b',
      '',
      '--b',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from('schöner Text').toString('base64'),
      '--b',
      'Content-Type: text/html; charset=utf-8',
      '',
      '<p>HTML</p>',
      '--b--',
      '',
    ];
    const { MessageId = '' } = await sendRaw(lines, { Tags: [{ Name: 'notification', Value: 'n_2' }] });
    const [message] = sent.list();
    expect(message).toMatchObject({
      to: ['ada@example.com', 'bob@example.com', 'eve@example.com', 'cc@example.com'],
      from: 'Shop <shop@acme.example>',
      subject: 'Grüße',
      headers: { 'list-unsubscribe': '<https://acme.example/u>' },
      tags: { notification: 'n_2' },
    });
    expect([message?.text?.trim(), message?.html?.trim()]).toEqual(['schöner Text', '<p>HTML</p>']);
    expect(Buffer.from(sent.raw(MessageId) ?? []).toString()).toBe(lines.join('\r\n'));
    await sendRaw(lines, { Destinations: ['only@example.com'], Source: 'bounce@acme.example' });
    expect(sent.list({ after: MessageId })).toMatchObject([
      { to: ['only@example.com'], from: 'Shop <shop@acme.example>' },
    ]);
  });

  it('refuses bad addresses, too many, bad tags and unknown configuration sets', async () => {
    const { client, sent, send, sendRaw } = open();
    await expect(send(['nobody'])).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    await expect(send(['a@example.com\r\nBcc: b@example.com'])).rejects.toMatchObject({
      name: 'InvalidParameterValue',
    });
    await expect(send([])).rejects.toThrow(/Missing final recipient/u);
    const many = Array.from({ length: 51 }, (_, at) => `a${at}@example.com`);
    await expect(send(many)).rejects.toMatchObject({ name: 'MessageRejected' });
    const mail = ['From: a@example.com', 'To: b@example.com', '', 'x'];
    await expect(sendRaw(mail, { Tags: [{ Name: 'a', Value: 'b c' }] })).rejects.toThrow(/alphanumeric/u);
    await expect(sendRaw(mail.slice(1))).rejects.toThrow(/'From'/u);
    await expect(sendRaw(['Subject: x', 'Subject: y', ...mail])).rejects.toThrow(
      /Duplicate header 'subject'/u,
    );
    await expect(sendRaw(['Subject: Grüße', ...mail])).rejects.toThrow(/non-ASCII/u);
    await expect(sendRaw([`X-Long: ${'x'.repeat(999)}`, ...mail])).rejects.toThrow(/longer than 998/u);
    await expect(sendRaw(mail, { Destinations: ['adä@example.com'] })).rejects.toThrow(/Local address/u);
    await expect(sendRaw(mail, { ConfigurationSetName: 'hub' })).rejects.toMatchObject({
      name: 'ConfigurationSetDoesNotExistException',
    });
    expect(sent.list()).toEqual([]);
    await client.send(new CreateConfigurationSetCommand({ ConfigurationSet: { Name: 'hub' } }));
    await client.send(
      new CreateConfigurationSetEventDestinationCommand({
        ConfigurationSetName: 'hub',
        EventDestination: { Name: 'bus', Enabled: true, MatchingEventTypes: ['bounce'] },
      }),
    );
    await sendRaw(mail, { ConfigurationSetName: 'hub' });
    expect(sent.list()).toHaveLength(1);
  });

  it('in the sandbox sends from and to verified identities only, so many a day', async () => {
    const { client, clock, sent, send } = open({ sandbox: true });
    await client.send(new VerifyDomainIdentityCommand({ Domain: 'acme.example' }));
    await expect(send(['ada@example.com'])).rejects.toThrow(/not verified.*region EU-SOUTH-1: ada@/u);
    await client.send(new VerifyEmailIdentityCommand({ EmailAddress: 'Ada@example.com' }));
    await expect(send(['ada@example.com'], 'x@other.example')).rejects.toMatchObject({
      name: 'MessageRejected',
    });
    for (let count = 0; count < 200; count++) {
      await send(['Ada <ada@example.com>']);
      await clock.runUntil(clock.now() + 1000);
    }
    await expect(send(['ada@example.com'])).rejects.toThrow(/quota/u);
    expect(await client.send(new GetSendQuotaCommand({}))).toMatchObject({
      Max24HourSend: 200,
      SentLast24Hours: 200,
    });
    await clock.runUntil(clock.now() + 86_400_000);
    await send(['ada@example.com']);
    expect(sent.list()).toHaveLength(201);
  });

  it('out of the sandbox sends from verified identities and their subdomains only, to anybody', async () => {
    const { client, sent, send, sendRaw } = open({});
    const refused = (from: string) => ({
      name: 'MessageRejected',
      message: `Email address is not verified. The following identities failed the check in region EU-SOUTH-1: ${from}`,
    });
    await expect(send(['ada@example.com'])).rejects.toMatchObject(refused('shop@acme.example'));
    await client.send(new VerifyEmailIdentityCommand({ EmailAddress: 'shop@acme.example' }));
    await send(['ada@example.com'], 'Shop <shop@acme.example>');
    await expect(send(['a@b.c'], 'x@acme.example')).rejects.toMatchObject(refused('x@acme.example'));
    await client.send(new VerifyDomainIdentityCommand({ Domain: 'acme.example' }));
    await send(['ada@example.com'], 'x@mail.acme.example');
    await expect(send(['a@b.c'], 'x@notacme.example')).rejects.toMatchObject(refused('x@notacme.example'));
    const mail = ['From: x@else.example', 'To: ada@example.com', '', 'x'];
    await expect(sendRaw(mail, { Source: 'shop@acme.example' })).rejects.toMatchObject(
      refused('x@else.example'),
    );
    expect(sent.list()).toHaveLength(2);
  });

  it('lists its verified identities', async () => {
    const { client } = open({});
    await client.send(new VerifyEmailIdentityCommand({ EmailAddress: 'a@acme.example' }));
    expect((await client.send(new ListIdentitiesCommand({}))).Identities).toEqual(['a@acme.example']);
  });
});

it('tells a listener of every message, and keeps them over a restart', async () => {
  const around = serviceContext();
  const heard: string[] = [];
  const first = sentMessages(around.db, ({ id }) => heard.push(id));
  for (const id of ['one', 'two', 'three'])
    first.add({ id, at: '2026-03-01T09:00:00.000Z', medium: 'sms', to: ['+14155550100'] });
  expect(heard).toEqual(['one', 'two', 'three']);
  const again = sentMessages(around.db);
  expect(again.list({ after: 'one' }).map(({ id }) => id)).toEqual(['two', 'three']);
  expect(again.raw('one')).toBeUndefined();
});

describe('events of a configuration set', () => {
  it('tell the topic what became of a mail, also for the addresses of the simulator', async () => {
    const told: { arn: string; source: string; principal: string; payload: string }[] = [];
    const around = serviceContext({ deliver: async (one) => void told.push(one) });
    const client = new SESClient(
      clientOf(ses(around, sentMessages(around.db), { verified: ['acme.example'] })),
    );
    const TopicARN = 'arn:aws:sns:eu-south-1:123456789012:mail';
    await client.send(new CreateConfigurationSetCommand({ ConfigurationSet: { Name: 'hub' } }));
    await client.send(
      new CreateConfigurationSetEventDestinationCommand({
        ConfigurationSetName: 'hub',
        EventDestination: {
          Name: 'topic',
          Enabled: true,
          MatchingEventTypes: ['delivery', 'bounce', 'complaint'],
          SNSDestination: { TopicARN },
        },
      }),
    );
    const send = (to: string, ConfigurationSetName?: string) =>
      client.send(
        new SendEmailCommand({
          Source: 'Shop <shop@acme.example>',
          Destination: { ToAddresses: [to] },
          Message: { Subject: { Data: 'Hi' }, Body: { Text: { Data: 'Hello' } } },
          ConfigurationSetName,
          Tags: [{ Name: 'notification', Value: 'n-1' }],
        }),
      );
    const { MessageId } = await send('ada@acme.example', 'hub');
    await send('bounce+1@simulator.amazonses.com', 'hub');
    await send('suppressionlist@simulator.amazonses.com', 'hub');
    await send('complaint@simulator.amazonses.com', 'hub');
    await send('ada@acme.example');
    await around.clock.runUntil(around.clock.now() + 1000);
    expect(told[0]).toMatchObject({
      arn: TopicARN,
      source: 'arn:aws:ses:eu-south-1:123456789012:configuration-set/hub',
      principal: 'ses.amazonaws.com',
    });
    const events = told.map(({ payload }) => JSON.parse(payload));
    expect(events.map(({ eventType, bounce }) => [eventType, bounce?.bounceSubType])).toEqual([
      ['Delivery', undefined],
      ['Bounce', 'General'],
      ['Bounce', 'Suppressed'],
      ['Delivery', undefined],
      ['Complaint', undefined],
    ]);
    expect(events[0]).toMatchObject({
      mail: {
        messageId: MessageId,
        source: 'Shop <shop@acme.example>',
        destination: ['ada@acme.example'],
        tags: { notification: ['n-1'], 'ses:configuration-set': ['hub'] },
      },
      delivery: { recipients: ['ada@acme.example'], timestamp: '2026-03-01T09:00:01.000Z' },
    });
    expect(events[4]?.complaint).toMatchObject({
      complainedRecipients: [{ emailAddress: 'complaint@simulator.amazonses.com' }],
      complaintFeedbackType: 'abuse',
    });
  });
});
