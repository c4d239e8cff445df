import { NOW, type TestHub } from '../../support/open-test-hub.ts';

export const MINUTE = 60_000;

interface TestMessage {
  readonly key: string;
  readonly minute: number;
  readonly direction?: 'inbound' | 'outbound';
  readonly channel?: 'sms' | 'email';
  readonly identifier?: string;
  readonly name?: string;
}

/** Sends a message whose text is its key, so many minutes after the start. */
export const sendMessage = (
  { sendInteraction }: TestHub,
  { minute, identifier = 'phone:+14155550100', name, ...fields }: TestMessage,
): void =>
  sendInteraction({
    ...{ provider: 'test', text: fields.key, at: NOW + minute * MINUTE, identifiers: [identifier] },
    ...fields,
    ...(name !== undefined && { profile: { name: { full: name } } }),
  });
