import type { SQSRecord } from 'aws-lambda';
import type { HubError } from '../../../core/errors.ts';
import type { IdentityConfig } from '../../../core/identity/identity-config.ts';
import type { ChannelMapping } from '../../../core/webhooks/channel.ts';
import type { Sending } from '../../aws/clients/queue.ts';
import type { BusEvent } from '../../contracts/events/catalogue.ts';
import type { ContentMessage, FileMessage, InteractionMessage } from '../../contracts/messages/record.ts';
import type { Work } from '../../contracts/work.ts';
import type { Contents } from '../content/content.ts';
import type { Files } from '../content/files.ts';

/** What a queue message asks for. */
export interface ReadResult {
  /** The interactions and commands to record. */
  readonly works: readonly Work[];
  /** Events to publish: nothing is recorded of what they are about. */
  readonly events: readonly BusEvent[];
}

export interface MessagePorts {
  readonly identity: () => Promise<IdentityConfig>;
  readonly mapping: (provider: string) => ChannelMapping | undefined;
  readonly files: Files;
  readonly contents: Contents;
  /** Whether an interaction was erased with its customer. */
  readonly isErased: (interaction: string) => Promise<boolean>;
  /** Whether an interaction is stored. */
  readonly isRecorded: (interaction: string) => Promise<boolean>;
  /** Stores a message that no retry can help as a failure, with the reason, so that a person can replay it. */
  readonly saveFailure: (message: SQSRecord, error: HubError, tries?: number) => Promise<void>;
  /** Adds a message to the queue that this one came from. */
  readonly enqueue: (
    message: ContentMessage | FileMessage | InteractionMessage,
    sending?: Sending,
  ) => Promise<void>;
}
