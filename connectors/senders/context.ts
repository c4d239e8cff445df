import type { SESClientConfig } from '@aws-sdk/client-ses';

/** What a sender is built with. */
export interface SenderContext {
  /** For the SDK's clients: region, credentials, bindings. */
  readonly aws: Pick<SESClientConfig, 'region' | 'credentials' | 'maxAttempts' | 'requestHandler'>;
  /** The SES configuration set of every e-mail, if one is configured. */
  readonly configurationSet?: string | undefined;
  /** Signed calls without an SDK client. Each rejects with the service's own error, as the SDK's clients do. */
  readonly call: {
    json(service: 'sms-voice', operation: string, input: object): Promise<unknown>;
    query(service: 'sns', action: string, fields: Readonly<Record<string, string>>): Promise<string>;
  };
  readonly fetch: typeof fetch;
  /** A fresh signal that aborts one HTTP request when its time is over: after that nobody knows whether it was sent. */
  readonly timeLimit: () => AbortSignal;
  /** The stored secret of a sender, by the sender's id. */
  readonly secret: (sender: string) => Promise<unknown>;
}
