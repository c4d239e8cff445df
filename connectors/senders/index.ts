import type { Sender } from '../../core/triggers/sender.ts';
import { awsSms } from './aws-sms.ts';
import type { SenderContext } from './context.ts';
import { ses } from './ses.ts';
import { snsPush } from './sns-push.ts';
import { whatsappCloud } from './whatsapp-cloud.ts';

const builders = { ses, 'aws-sms': awsSms, 'sns-push': snsPush, 'whatsapp-cloud': whatsappCloud } as const;

/** The ids that hub.yaml may name under `senders`. */
export const senderIds: readonly string[] = Object.keys(builders);

/** Those whose credentials are a secret; the others are services of AWS, which use the role of the function. */
export const senderSecrets: ReadonlySet<string> = new Set(['whatsapp-cloud']);

/** Builds every sender; the keys are the ids that hub.yaml names. */
export const senders = (context: SenderContext): Readonly<Record<string, Sender>> =>
  Object.fromEntries(Object.entries(builders).map(([id, build]) => [id, build(context)]));
