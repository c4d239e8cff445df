import { CrmMessage, ProbeMessage } from '../messages/sync.ts';
import { type Stage, stage } from './stage.ts';

const kinds = ['erasure', 'change', 'probe', 'job'];

/** The stage of one CRM, by its id and its name. */
export const syncStage = (crm: string, name: string): Stage<CrmMessage> =>
  stage(`sync-${crm}`, {
    title: `Customers and interactions on their way into ${name}`,
    schema: CrmMessage,
    identity(message) {
      if ('erasure' in message) return [message.erasure, message.part];
      if ('change' in message) return [message.change];
      if ('probe' in message) return ['probe', message.object ?? null];
      if ('job' in message) return [message.job, message.slice];
      return [message.profileId, message.interaction ?? null];
    },
    about(message) {
      if ('erasure' in message) return { erasure: message.erasure };
      if ('change' in message) return { record: message.change.id };
      if ('probe' in message) return { object: message.object };
      if ('job' in message) return { job: message.job };
      return { profileId: message.profileId, interaction: message.interaction };
    },
    type: (message) => kinds.find((kind) => kind in message) ?? 'customer',
    ids: (message) => ('erasure' in message ? { part: message.part } : {}),
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
