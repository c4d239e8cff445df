import { CrmMessage } from '../messages/sync.ts';
import { type Stage, stage } from './stage.ts';

/** The stage of one CRM, by its id and its name. */
export const syncStage = (crm: string, name: string): Stage<CrmMessage> =>
  stage(`sync-${crm}`, {
    title: `Customers and interactions on their way into ${name}`,
    schema: CrmMessage,
    identity: (message) =>
      'erasure' in message
        ? [message.erasure, message.part]
        : [message.profileId, message.interaction ?? null],
    about: (message) =>
      'erasure' in message
        ? { erasure: message.erasure }
        : { profileId: message.profileId, interaction: message.interaction },
    type: (message) => ('erasure' in message ? 'erasure' : 'customer'),
    ids: (message) => ('erasure' in message ? { part: message.part } : {}),
  });
