import type { CatalogueEntry } from './entry.ts';

/** Codes that appear in the log of a function only. */
export const logCodes = {
  'refused-delivery': {
    means:
      'A webhook was refused: it is not authentic, its secret is not stored, its provider is not switched on, or it is too large.',
    advice:
      'The line names the provider, the status and the reason. Store the current secret with `hub connect`, or correct the address in the console of the provider.',
  },
  'unsaved-activity': {
    means:
      'What `hub doctor` shows of the webhooks of a provider could not be stored. The webhook was answered all the same.',
    advice:
      'Nothing, if it is rare: the next webhook is noted again. Otherwise look at the error in the line.',
  },
  'ignored-events': {
    means: 'A delivery contained event types that the mapping of its provider does not use.',
    advice: 'Nothing. The line names and counts them.',
  },
  'poll-before-set-up': {
    means:
      'A CRM that the hub asks for changes could not be asked, and has never been before. It is being set up.',
    advice: 'Nothing, if its credentials are about to be stored; else run `hub doctor`.',
  },
  'crm-record-without-address': {
    means:
      'A CRM reported a record that is nobody the hub knows, and that holds no e-mail address or phone number.',
    advice: 'Nothing. The record becomes a customer when it has an address.',
  },
  'claim-cap': {
    means:
      'A message was withheld because interactions that nobody vouches for have caused as many as `claims` in hub.yaml allows.',
    advice:
      'The line names the trigger. Look for a form that is filled in by a program; raise `claims` if the traffic is genuine.',
  },
  'working-sender': {
    means: 'A sender that took no messages takes them again. What waited is sent.',
    advice: 'Nothing. The line says since when it had stopped.',
  },
  'unknown-quota': {
    means: 'A sender could not be asked what its account may send; its last or its usual limits are used.',
    advice:
      'The line has the error. Look at the permissions of notify, or set `rate` and `daily` in hub.yaml.',
  },
  'working-connection': {
    means: 'A CRM that had stopped, or a parked object of it, works again. What waited is sent.',
    advice: 'Nothing. The line says since when it had stopped.',
  },
  'message-failure': {
    means: 'A queue message could not be processed; the queue delivers it again.',
    advice: 'The line has the error. After the last try the message becomes a failure.',
  },
  'unsaved-reason': {
    means:
      'The reason of a failed try could not be stored. A failure may then show the reason of an earlier try.',
    advice: 'The log line of the message has the reason.',
  },
  'unrecorded-click': {
    means:
      'A click on a link of a message could not be recorded; the person was led to the address all the same.',
    advice: 'The line has the error.',
  },
  'configuration-failure': {
    means: 'The custom resource could not apply mappings/; the deployment fails.',
    advice: 'The line has the error.',
  },
} satisfies Readonly<Record<string, CatalogueEntry>>;
