import {
  ConflictException,
  DescribeSpendLimitsCommand,
  PinpointSMSVoiceV2Client,
  PutOptedOutNumberCommand,
  SendTextMessageCommand,
  type SendTextMessageCommandInput,
  ValidationException,
} from '@aws-sdk/client-pinpoint-sms-voice-v2';
import { describe, expect, it } from 'vitest';
import { sentMessages } from '../../../infra/local/inbox/sent-messages.ts';
import { type SmsOptions, smsVoice } from '../../../infra/local/sms/index.ts';
import { clientOf, serviceContext } from '../../support/service-context.ts';

const open = () => {
  const around = serviceContext();
  const sent = sentMessages(around.db);
  const client = new PinpointSMSVoiceV2Client(
    clientOf(smsVoice(around, sent, { numbers: ['+12065550100'], monthlyLimit: 5 })),
  );
  const send = (more: Partial<SendTextMessageCommandInput> = {}) =>
    client.send(
      new SendTextMessageCommand({
        DestinationPhoneNumber: '+14155550100',
        MessageBody: 'Hallo 🎈',
        ...more,
      }),
    );
  return { ...around, client, sent, send };
};

describe('End User Messaging SMS', () => {
  it('keeps what it sends, with its context', async () => {
    const { sent, send } = open();
    const { MessageId } = await send({
      OriginationIdentity: '+12065550100',
      MessageType: 'TRANSACTIONAL',
      Context: { notification: 'n-1' },
    });
    expect(sent.list()).toEqual([
      {
        id: MessageId,
        at: '2026-03-01T09:00:00.000Z',
        medium: 'sms',
        to: ['+14155550100'],
        from: '+12065550100',
        text: 'Hallo 🎈',
        tags: { notification: 'n-1' },
      },
    ]);
  });

  it('sends to no number that opted out', async () => {
    const { client, sent, send } = open();
    const OptedOutNumber = '+14155550100';
    await client.send(new PutOptedOutNumberCommand({ OptOutListName: 'Default', OptedOutNumber }));
    const refused = await send().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConflictException);
    expect(refused).toMatchObject({ Reason: 'DESTINATION_PHONE_NUMBER_OPTED_OUT' });
    expect(sent.list()).toEqual([]);
  });

  it('refuses numbers that are none, numbers it has not, and bodies of the wrong length', async () => {
    const { sent, send } = open();
    for (const DestinationPhoneNumber of ['14155550100', '+0415555010', '+1415555010012345', 'ada'])
      await expect(send({ DestinationPhoneNumber })).rejects.toThrow(ValidationException);
    await expect(send({ OriginationIdentity: '+12065550199' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    await expect(send({ MessageBody: '' })).rejects.toThrow(ValidationException);
    await expect(send({ MessageBody: 'x'.repeat(1601) })).rejects.toThrow(ValidationException);
    expect((await send({ DryRun: true })).MessageId).toBeDefined();
    expect(sent.list()).toEqual([]);
  });

  it('describes its spend limit', async () => {
    const { client } = open();
    const { SpendLimits } = await client.send(new DescribeSpendLimitsCommand({}));
    expect(SpendLimits).toMatchObject([{ Name: 'TEXT_MESSAGE_MONTHLY_SPEND_LIMIT', EnforcedLimit: 5 }]);
  });
});

describe('an account', () => {
  const openWith = (options: SmsOptions) => {
    const around = serviceContext();
    const sent = sentMessages(around.db);
    const client = new PinpointSMSVoiceV2Client(clientOf(smsVoice(around, sent, options)));
    const send = (more: Partial<SendTextMessageCommandInput> = {}) =>
      client.send(
        new SendTextMessageCommand({ DestinationPhoneNumber: '+14155550100', MessageBody: 'Hi', ...more }),
      );
    return { ...around, sent, send };
  };

  it('spends up to its limit in a month', async () => {
    const { sent, send, clock } = openWith({ monthlyLimit: 0.025 });
    await send();
    await send();
    await expect(send()).rejects.toMatchObject({
      name: 'ServiceQuotaExceededException',
      Reason: 'MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT',
    });
    await clock.runUntil(Date.parse('2026-04-01T00:00:00Z'));
    await send();
    expect(sent.list().length).toBe(3);
  });

  it('in the sandbox sends to verified numbers only', async () => {
    const { send } = openWith({ sandbox: true, verified: ['+14155550101'] });
    await send({ DestinationPhoneNumber: '+14155550101' });
    await expect(send()).rejects.toMatchObject({ Reason: 'DESTINATION_PHONE_NUMBER_NOT_VERIFIED' });
  });
});
