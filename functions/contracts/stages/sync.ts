import { CrmMessage, ProbeMessage } from '../messages/sync.ts';
import { type Stage, stage } from './stage.ts';

/** How people call a CRM that hub.yaml names. */
export const crmTitle = (crm: string): string => `${crm.charAt(0).toUpperCase()}${crm.slice(1)}`;

/** The id of the stage of a CRM. */
export const syncStageId = (crm: string): string => `sync-${crm}`;

/** The stage of one CRM, by its id and its name. */
export const syncStage = (crm: string, name: string): Stage<CrmMessage> =>
  stage(syncStageId(crm), {
    title: `Customers and interactions on their way into ${name}, and changes on their way back`,
    schema: CrmMessage,
    // The record is read again for every change, so all changes of one kind are the same piece of work.
    identity: (message) => {
      if ('erasure' in message) return [message.erasure, message.part];
      if ('probe' in message) return ['probe', message.object ?? null];
      if ('change' in message)
        return ['change', message.change.object, message.change.id, message.change.act];
      return [message.profileId, message.interaction ?? null];
    },
    about: (message) => {
      if ('erasure' in message) return { erasure: message.erasure };
      if ('probe' in message) return { object: message.object };
      if ('change' in message) return { object: message.change.object, record: message.change.id };
      return { profileId: message.profileId, interaction: message.interaction };
    },
    type: (message) => {
      if ('erasure' in message) return 'erasure';
      if ('probe' in message) return 'probe';
      return 'change' in message ? 'change' : 'customer';
    },
    ids: (message) => {
      if ('erasure' in message) return { part: message.part };
      return 'change' in message ? { act: message.change.act } : {};
    },
  });

/** The id of the stage of a CRM's connection. */
export const connectionStageId = (crm: string): string => `connection-${crm}`;

/** The probes of one CRM. A connection that stopped, or a parked object, is one failure; its replay is a probe. */
export const connectionStage = (crm: string, name: string): Stage<ProbeMessage> =>
  stage(connectionStageId(crm), {
    title: `Whether ${name} can be used`,
    schema: ProbeMessage,
    identity: ({ object }) => [object ?? null],
    about: ({ object }) => ({ crm, object }),
    type: () => 'probe',
  });
