import * as z from 'zod';
import { JobMessage } from '../messages/jobs.ts';
import { CrmMessage, PollMessage, ProbeMessage } from '../messages/sync.ts';
import { type Stage, stage } from './stage.ts';

/** How people call a CRM that hub.yaml names. */
export const crmTitle = (crm: string): string => `${crm.charAt(0).toUpperCase()}${crm.slice(1)}`;

/** The id of the stage of a CRM. */
export const syncStageId = (crm: string): string => `sync-${crm}`;

const kinds = ['erasure', 'change', 'decided', 'probe', 'poll', 'job'];

/** The stage of one CRM, by its id and its name. */
export const syncStage = (crm: string, name: string): Stage<CrmMessage> =>
  stage(syncStageId(crm), {
    title: `Customers and interactions on their way into ${name}, and changes on their way back`,
    schema: CrmMessage,
    // The record is read again for every change, so all changes of one kind are the same piece of work.
    identity: (message) => {
      if ('erasure' in message) return [message.erasure, message.part];
      if ('probe' in message) return ['probe', message.object ?? null];
      if ('poll' in message) return ['poll'];
      if ('job' in message) return [message.job, message.slice];
      if ('change' in message)
        return ['change', message.change.object, message.change.id, message.change.act];
      if ('decided' in message) return ['decided', message.decided.profileId];
      return [message.profileId, message.interaction ?? null];
    },
    about: (message) => {
      if ('erasure' in message) return { erasure: message.erasure };
      if ('probe' in message) return { object: message.object };
      if ('poll' in message) return {};
      if ('job' in message) return { job: message.job };
      if ('change' in message) return { object: message.change.object, record: message.change.id };
      if ('decided' in message) return { profileId: message.decided.profileId };
      return { profileId: message.profileId, interaction: message.interaction };
    },
    type: (message) => kinds.find((kind) => kind in message) ?? 'customer',
    ids: (message) => {
      if ('erasure' in message) return { part: message.part };
      return 'change' in message ? { act: message.change.act } : {};
    },
  });

/** The id of the stage of a CRM's connection. */
export const connectionStageId = (crm: string): string => `connection-${crm}`;

/**
 * The probes of one CRM, its polls, and the slices of jobs about it. A connection that stopped, or a parked object, is one
 * failure; its replay is a probe.
 */
export const connectionStage = (crm: string, name: string): Stage<ProbeMessage | PollMessage | JobMessage> =>
  stage(connectionStageId(crm), {
    title: `Whether ${name} can be used`,
    schema: z.union([ProbeMessage, PollMessage, JobMessage]),
    identity: (message) => {
      if ('job' in message) return [message.job, message.slice];
      return 'poll' in message ? ['poll'] : [message.object ?? null];
    },
    about: (message) => {
      if ('job' in message) return { crm, job: message.job };
      return 'poll' in message ? { crm } : { crm, object: message.object };
    },
    type: (message) => kinds.find((kind) => kind in message) ?? 'probe',
  });
