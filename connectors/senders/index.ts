import type { SESClientConfig } from '@aws-sdk/client-ses';
import type { Sender } from '../../core/triggers/sender.ts';
import { awsSms } from './aws-sms.ts';
import { ses } from './ses.ts';
import { snsPush } from './sns-push.ts';
import { whatsappCloud } from './whatsapp-cloud.ts';

/** What a sender is built with. */
export interface SenderContext {
  /** For the SDK's clients: region, credentials, bindings. */
  readonly aws: Pick<SESClientConfig, 'region' | 'credentials' | 'maxAttempts' | 'requestHandler'>;
  /** The SES configuration set that every e-mail goes through, where there is one. */
  readonly configurationSet?: string | undefined;
  /** For calls signed by hand: each rejects with the service's own error, as the SDK's clients do. */
  readonly call: {
    json(service: 'sms-voice', operation: string, input: object): Promise<unknown>;
    query(service: 'sns', action: string, fields: Readonly<Record<string, string>>): Promise<string>;
  };
  readonly fetch: typeof fetch;
  /** The sender's secret, by its id. */
  readonly secret: (sender: string) => Promise<unknown>;
}

/** Every way to send, by the id that hub.yaml names. */
export const senders = (surroundings: SenderContext): Readonly<Record<string, Sender>> =>
  Object.fromEntries(
    [ses, awsSms, snsPush, whatsappCloud]
      .map((build) => build(surroundings))
      .map((sender) => [sender.id, sender]),
  );
