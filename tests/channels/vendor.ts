import { connectorOf, mappingOf } from '../../connectors/registry.ts';
import { IdentityConfig } from '../../core/identity/identity-config.ts';
import type { Interaction } from '../../core/interaction/interaction.ts';
import { RecordMessage } from '../../functions/contracts/messages/record.ts';
import { parseMessage } from '../../functions/middleware/queue.ts';
import { contents } from '../../functions/record/content/content.ts';
import type { MessagePorts } from '../../functions/record/messages/ports.ts';
import { readMessage } from '../../functions/record/messages/read-message.ts';
import { bucket, runtimeWith } from '../functions/record/stored-files.ts';
import { queueRecord } from '../support/queue-event.ts';

/** What a vendor answers at an address, and what it is asked with. */
export type Answers = Readonly<Record<string, () => Response>>;

interface Asked {
  readonly url: string;
  readonly authorization: string | undefined;
}

interface Vendor {
  readonly provider: string;
  readonly secrets?: Readonly<Record<string, readonly string[]>>;
  readonly answers?: Answers;
  readonly contentType?: string;
}

export interface Outcome {
  readonly interactions: readonly Interaction[];
  readonly asked: readonly Asked[];
  /** What the bucket holds, by key. */
  readonly stored: Readonly<Record<string, string>>;
  /** Everything that was put into the queue on the way. */
  readonly queued: readonly object[];
  readonly failures: readonly string[];
}

/** Sends a delivery of a real provider through `readMessage` until the queue is empty; `answers` is the vendor's side. */
export const deliver = async (
  { provider, secrets = {}, answers = {}, contentType = 'application/json' }: Vendor,
  body: string,
): Promise<Outcome> => {
  const asked: Asked[] = [];
  const { stored, files } = bucket();
  const queued: object[] = [];
  const failures: string[] = [];
  const runtime = runtimeWith((url, authorization) => {
    asked.push({ url, authorization });
    return answers[url]?.() ?? new Response('', { status: 404 });
  });
  const waiting: object[] = [
    {
      type: 'delivery',
      id: 'd',
      provider,
      receivedAt: '2026-03-02T09:00:00.000Z',
      request: {
        method: 'POST',
        url: `https://acme.example/webhooks/${provider}`,
        headers: { 'content-type': contentType },
        body: Buffer.from(body).toString('base64'),
      },
    },
  ];
  const ports: MessagePorts = {
    identity: async () => IdentityConfig.parse({}),
    mapping: (id) => mappingOf(id),
    files,
    isErased: async () => false,
    isRecorded: async () => true,
    contents: contents(runtime, {
      connector: (id) => connectorOf(id),
      secrets: async () => secrets,
      files,
    }),
    saveFailure: async (_, { code }) => {
      failures.push(code);
    },
    enqueue: async (message) => {
      queued.push(message);
      waiting.push(message);
    },
  };
  const interactions: Interaction[] = [];
  for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) {
    const { works } = await readMessage(ports, parseMessage(RecordMessage, queueRecord(message)));
    for (const work of works) if (work.type === 'interaction') interactions.push(work.interaction);
  }
  return { interactions, asked, stored, queued, failures };
};
