import type { Channel } from '../../core/interaction/interaction.ts';
import type { HttpContext } from '../../core/triggers/sending/http-sender.ts';
import type { Sender } from '../../core/triggers/sending/sender.ts';
import type { SenderDeclaration } from '../../core/triggers/sending/sender-declaration.ts';
import { awsSms } from './aws-sms.ts';
import type { SenderContext } from './context.ts';
import { line } from './line.ts';
import { instagram } from './meta/instagram.ts';
import { messenger } from './meta/messenger.ts';
import { whatsappCloud } from './meta/whatsapp-cloud.ts';
import { sendgrid } from './sendgrid.ts';
import { ses } from './ses.ts';
import { slack } from './slack.ts';
import { snsPush } from './sns-push.ts';
import { telegram } from './telegram.ts';
import { twilio } from './twilio.ts';

/** Senders whose credentials are a secret; the others are services of AWS, which use the role of the function. */
const overHttp: readonly SenderDeclaration<HttpContext>[] = [
  ...[instagram, line, messenger, sendgrid, slack, telegram, twilio, whatsappCloud],
];

/** Every sender, by its id. */
export const senderDeclarations: readonly SenderDeclaration<SenderContext>[] = [
  ...[awsSms, ses, snsPush],
  ...overHttp,
].sort((one, other) => one.id.localeCompare(other.id));

/** The ids that hub.yaml may name under `senders`. */
export const senderIds: readonly string[] = senderDeclarations.map(({ id }) => id);

/** The channels whose messages each sender sends, by its id. */
export const senderChannels: Readonly<Record<string, readonly Channel[]>> = Object.fromEntries(
  senderDeclarations.map(({ id, channels }) => [id, channels]),
);

/** Those that have a secret: the stack makes it, and `hub connect` fills it. */
export const senderSecrets: ReadonlySet<string> = new Set(overHttp.map(({ id }) => id));

/** The declaration of a sender that has a secret. */
export const httpSenderOf = (id: string): SenderDeclaration<HttpContext> | undefined =>
  overHttp.find((one) => one.id === id);

/** Builds every sender; the keys are the ids that hub.yaml names. */
export const senders = (context: SenderContext): Readonly<Record<string, Sender>> =>
  Object.fromEntries(
    senderDeclarations.map(({ id, provider, usual, build }) => [
      id,
      { ...{ id, provider }, ...(usual && { usual }), ...build(context) },
    ]),
  );
