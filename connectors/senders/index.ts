import type { Sender } from '../../core/triggers/sender.ts';
import { awsSms } from './aws-sms.ts';
import type { SenderContext } from './context.ts';
import { ses } from './ses.ts';
import { snsPush } from './sns-push.ts';
import { whatsappCloud } from './whatsapp-cloud.ts';

/** Builds every sender; the keys are the ids that hub.yaml names. */
export const senders = (context: SenderContext): Readonly<Record<string, Sender>> =>
  Object.fromEntries(
    [ses, awsSms, snsPush, whatsappCloud].map((build) => build(context)).map((sender) => [sender.id, sender]),
  );
