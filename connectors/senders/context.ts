import type { SESClientConfig } from '@aws-sdk/client-ses';
import type { HttpContext } from '../../core/triggers/sending/http-sender.ts';

/** What the senders of a hub are built with. */
export interface SenderContext extends HttpContext {
  /** For the SDK's client of SES: region, credentials, bindings. */
  readonly aws: Pick<SESClientConfig, 'region' | 'credentials' | 'maxAttempts' | 'requestHandler'>;
  /** The SES configuration set of every e-mail, if one is configured. */
  readonly configurationSet?: string | undefined;
  /** Signed calls to AWS without an SDK client. Each rejects with the service's own error, as the SDK's clients do. */
  readonly call: {
    json(service: 'sms-voice', operation: string, input: object): Promise<unknown>;
    query(service: 'sns', action: string, fields: Readonly<Record<string, string>>): Promise<string>;
  };
}
