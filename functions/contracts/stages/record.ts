import { interactionId } from '../../../core/interaction/interaction.ts';
import { RecordMessage } from '../messages/record.ts';
import { stage } from './stage.ts';

/** Members of one batch are pieces of work of their own. */
const memberOf = ({ member }: { readonly member?: string | undefined }): string[] =>
  member === undefined ? [] : [member];

export const recordStage = stage('record', {
  title: 'Deliveries, interactions and commands on their way to the customer record',
  schema: RecordMessage,
  // A replay retries as often as the first time.
  toReplay: (message) => ('tries' in message ? { ...message, tries: 0 } : message),
  identity: (message) => {
    switch (message.type) {
      case 'content':
      case 'interaction': {
        const { provider, account, key } = message.interaction;
        return [...(message.type === 'content' ? ['content'] : []), provider, account ?? null, key];
      }
      case 'file':
        return ['file', message.key];
      case 'event':
        return ['event', message.provider, message.event.id, ...memberOf(message)];
      case 'delivery':
        return ['delivery', message.id, ...memberOf(message)];
      case 'import':
        return [message.job, message.line];
      default:
        return [message.type, message.id];
    }
  },
  about: (message) => {
    if (message.type === 'import') return { job: message.job };
    if (message.type === 'command') return { command: message.command };
    if (message.type === 'interaction' || message.type === 'content')
      return { provider: message.interaction.provider };
    return { provider: message.provider, account: message.account };
  },
  type: ({ type }) => type,
  ids: (message) => {
    switch (message.type) {
      case 'delivery':
        return { delivery: message.id };
      case 'interaction':
      case 'content': {
        const { provider, account, key } = message.interaction;
        return { interaction: interactionId(provider, account, key), tries: message.tries };
      }
      case 'file':
        return { file: message.key, tries: message.tries };
      case 'event':
        return { event: message.event.id };
      case 'import':
        return { line: message.line, rows: message.rows.length };
      case 'command':
        return {};
    }
  },
});
