import type { CatalogueEntry } from './entry.ts';

/** Codes of work that a stage could not do: they appear in `hub failures`, or delay a message until it succeeds. */
export const failureErrors = {
  'unreadable-delivery': {
    retry: 'never',
    means: 'An authentic delivery does not have the form that the mapping of its provider expects.',
    advice: 'Correct mappings/channels/<provider>, or edit the payload, then replay.',
  },
  'unreadable-member': {
    retry: 'never',
    means:
      'One member of a batch does not have the form that the mapping of its provider expects. The other members are recorded.',
    advice:
      'Correct mappings/channels/<provider> as the path and the type in the reason say, then replay: it decodes that member only.',
  },
  'unreachable-content': {
    means:
      'Content that a webhook only points at (a mail, a form, a file) could not be fetched in four tries. The interaction is recorded without it.',
    advice:
      'Replay it when the provider answers again: the content completes the stored interaction, or the one in the review queue.',
  },
  'refused-content': {
    retry: 'never',
    means:
      'The provider refused the content that a webhook points at, or it is too large. The interaction is recorded without it.',
    advice:
      'Read in the reason what the provider answered; store the secret that the content needs with `hub connect`, then replay: the content completes the stored interaction.',
  },
  'unreadable-message': {
    retry: 'never',
    means:
      'A queue message does not have the form that its stage expects: another program wrote to the queue, or a later release that was rolled back sent a message of a kind that this one does not know.',
    advice:
      'Of a later release: replay it after that release is deployed again. Else edit the payload into the form that the reason names and replay, or dismiss it.',
  },
  'function-crash': {
    means: 'The function ended each time without reporting a reason: it ran out of time or of memory.',
    advice:
      "Read the function's log at that time. Raise its memory or timeout, or edit what is too large, then replay.",
  },
  'unexpected-error': {
    means:
      'The function failed with an error that it does not know. The reason names its kind and its place in the code.',
    advice: "Read the function's log at that time; replay when the cause is corrected.",
  },
  'rule-delivery-failure': {
    means: 'EventBridge could not put an event on the queue of the stage.',
    advice:
      "Read EventBridge's error in the reason: most often a deleted queue or a changed queue policy. Deploy the stack again, then replay.",
  },
  'schedule-delivery-failure': {
    means: 'EventBridge Scheduler could not put the end of a wait on the queue of the stage.',
    advice:
      "Read the scheduler's error in the reason: most often a deleted queue or a changed role. Deploy the stack again, then replay.",
  },
  'sender-refusal': {
    means: 'Every channel of the notification was tried, and each sender refused it.',
    advice:
      'Correct what the sender names (an address, a template, a domain that is not verified, an account in its sandbox), then replay: the channels are chosen again.',
  },
  'stopped-sender': {
    means:
      'A sender takes no messages of this account for now, or has sent as many as it may in 24 hours. What is to be sent waits. The reason names why.',
    advice:
      'Do what the reason says. The hub finds out by itself that the sender takes messages again, closes this failure and sends what waited; a replay finds out at once.',
  },
  'unavailable-sender': {
    retry: 'later',
    means:
      'A vendor failed while it took a message, so it may or may not have been sent. Service and transactional messages are sent again automatically.',
    advice:
      "Look at the vendor's status page, and look the message up in the sender's account before you replay it: a replay may send it twice.",
  },
  'uncertain-send': {
    retry: 'never',
    means:
      'The connection broke while a marketing message was being sent, so it may or may not have been sent. Marketing is sent at most once.',
    advice: "Look it up in the sender's account. Replay only if it was not sent: a replay sends it.",
  },
  'template-failure': {
    retry: 'never',
    means: 'The template lacks a variable for this customer, or writes a text that its medium refuses.',
    advice:
      'Give the variable a default in the template and publish the trigger. Versions that have started keep their template, so dismiss what is no longer wanted.',
  },
  'unknown-customer': {
    retry: 'never',
    means: 'No customer owns the identifier, or the customer has been erased.',
    advice:
      'Look the customer up: the identifier may be spelled differently. Edit it and replay, or dismiss the command.',
  },
  'missing-identifier': {
    retry: 'never',
    means: 'A command, an imported row or an interaction has no usable identifier.',
    advice: 'Edit the identifiers and replay, or dismiss it.',
  },
  'unknown-merge': {
    retry: 'never',
    means: 'A command would undo a merge that does not exist, or does not exist any more.',
    advice: 'Dismiss it, or edit the identifier and replay.',
  },
  'existing-merge': {
    retry: 'never',
    means: 'The two customers that a command marks as distinct are merged already.',
    advice: 'Unmerge them first; that also marks them as distinct.',
  },
  'last-identifier': {
    retry: 'never',
    means: "A command would split off a customer's only identifier.",
    advice: 'Dismiss it: nothing would be left of the customer.',
  },
  'owner-stop': {
    retry: 'never',
    means: 'A command would reopen an address whose owner has sent STOP from it.',
    advice: 'Only the owner can reopen the address, by sending START from it.',
  },
  'open-address': {
    retry: 'never',
    means: 'A command would reopen an address that is not closed.',
    advice: 'Dismiss it, or edit the address and replay.',
  },
  'unknown-review': {
    retry: 'never',
    means: 'There is no such open review: it was resolved, or its customers were merged or erased.',
    advice: 'List the open reviews with `hub review list`.',
  },
  'invalid-decision': {
    retry: 'never',
    means: 'The decision does not fit the review.',
    advice:
      'A pair takes `merge` or `distinct`; several records of a CRM take `--record` or `--create`; an interaction takes `assign` with a customer, `new` or `dismiss`; a request takes `done` or `dismiss`.',
  },
  'oversized-change': {
    retry: 'never',
    means: 'One interaction concerns more customers than one DynamoDB transaction can change.',
    advice: 'Remove identifiers from the payload, then replay.',
  },
  'unknown-trigger': {
    means: 'The trigger, or the version of it that decided, is not stored.',
    advice: 'Dismiss it: without its version the trigger cannot be evaluated.',
  },
  'write-conflict': {
    retry: 'later',
    means: 'The same rows were changed concurrently each time this was tried.',
    advice:
      'Repeat the request, or replay. If it comes back, one customer receives too many interactions: look at their timeline.',
  },
  'busy-table': {
    retry: 'later',
    means: 'DynamoDB did not complete the requests each time this was tried.',
    advice: 'Replay it. If it comes back, look at the throttling of the table in CloudWatch.',
  },
  'bucket-fault': {
    retry: 'later',
    means: 'S3 did not store or return a file.',
    advice:
      'It is retried automatically. If it comes back, look at the health of S3 and the policy of the bucket.',
  },
  'enqueue-failure': {
    retry: 'later',
    means: 'SQS did not accept messages.',
    advice:
      'It is retried automatically; events sent to the API must be sent again. If it comes back, look at the queue and its policy.',
  },
  'unpublished-events': {
    retry: 'later',
    means: 'The interaction is stored, but the event bus did not accept its events each time this was tried.',
    advice: 'Replay it: nothing is stored twice, and the same events are published.',
  },
  'missing-configuration': {
    retry: 'later',
    means: 'A part of the configuration was never applied to this hub.',
    advice: 'Deploy the stack again, then replay.',
  },
  'invalid-configuration': {
    means: 'A file in mappings/, or a configuration stored from it, is not valid.',
    advice: 'Correct the file at the line and key that the message names, and deploy.',
  },
  'unreadable-secret': {
    retry: 'later',
    means: 'Secrets Manager did not return a secret, or the secret does not have the expected form.',
    advice: 'Store the secret again as the guide of its connector describes, then replay.',
  },
  'unreachable-key-set': {
    retry: 'later',
    means: 'The public keys that authenticate a webhook could not be fetched from the provider.',
    advice:
      'The provider sends the webhook again. If it comes back, look at the status page of the provider.',
  },
  'nonce-failure': {
    retry: 'later',
    means: 'The one-time token of a webhook could not be stored, so that the webhook was not accepted.',
    advice:
      'The provider sends the webhook again. If it comes back, look at the throttling of the table in CloudWatch.',
  },
  'crm-pause': {
    means:
      'Calls to the CRM are paused: the API budget of this window is used up, the CRM did not answer, or another worker renews the token.',
    advice: 'Nothing: queued records are retried automatically.',
  },
  'stopped-connection': {
    means:
      'The hub does not use the CRM for now; everything for it waits in its queue. The reason names why.',
    advice:
      'Do what the reason says. The hub finds out by itself that the CRM works again, closes this failure and sends what waited; a replay finds out at once.',
  },
  'parked-object': {
    means:
      'The hub does not use one object of the CRM for now; what is written to it waits. The reason names why.',
    advice:
      'Correct the object, its fields or the permissions in the CRM, or the mapping. The hub finds out by itself that the object can be used again, closes this failure and sends what waited; a replay finds out at once.',
  },
  'spent-quota': {
    means: "The account has used up as many of the CRM's API calls as the hub leaves to itself.",
    advice:
      'Nothing: the hub continues when calls are free again. If it comes back, look which program uses the calls, or buy more.',
  },
  'unavailable-crm': {
    means: 'The CRM did not answer, refused the login, or its API allocation is used up.',
    advice:
      'Look at the status of the CRM, its API usage and the credentials that the hub uses. Queued records are retried automatically.',
  },
  'sync-failure': {
    retry: 'later',
    means: 'A sync with the CRM failed with an error that the hub does not know.',
    advice: "Read the function's log at that time. Queued records are retried automatically.",
  },
  'invalid-field-value': {
    retry: 'never',
    means: 'A customer has a value that the mapping cannot turn into what the field of the CRM takes.',
    advice:
      'Correct the value of the customer, or the transforms of the field in mappings/crm/, then replay.',
  },
  'other-crm-account': {
    retry: 'never',
    means:
      'The secret of the CRM leads to another account than the one in which people are linked to records, for example to the real org after a sandbox.',
    advice:
      'Run `hub connect CRM --new-account` to go on in the new account, or store the secret of the former one again. Nothing is written until then.',
  },
  'crm-record-gone': {
    retry: 'never',
    means: "The customer's record was deleted in the CRM, so nothing more is written for the customer there.",
    advice:
      'Nothing, if that was meant. Otherwise restore the record in the CRM, or set `recreate: true` in mappings/crm/, then replay.',
  },
  'crm-record-taken': {
    retry: 'never',
    means:
      'The record in the CRM that holds an address of the customer belongs to another customer of the hub.',
    advice:
      'Decide in the review list whether they are one person, or correct the address in the CRM, then replay.',
  },
  'crm-field-contested': {
    retry: 'never',
    means: 'The CRM has set a field back three times within an hour after the hub wrote it.',
    advice:
      'The field is left to the CRM. Look for a workflow in the CRM that writes it, or set `write: never` in mappings/crm/; then dismiss this.',
  },
  'salesforce-': {
    means: 'Salesforce refused the record with the status code that follows.',
    advice:
      'Correct the record, the field or the permission in Salesforce, or mappings/crm/salesforce.yaml, then replay.',
  },
  'hubspot-': {
    means: 'HubSpot refused the record with the category that follows.',
    advice: 'Correct the record or the property in HubSpot, or mappings/crm/hubspot.yaml, then replay.',
  },
  'http-': {
    means:
      'A CRM that is spoken to by the templates of mappings/crm/<crm>.yaml refused the record. The word that follows is the `why` of the rule in its `http.errors`, or of its status.',
    advice:
      'Correct the record, the field or the permission in the CRM, or mappings/crm/<crm>.yaml, then replay.',
  },
  'servicenow-': {
    means: 'ServiceNow refused the record with the error that follows.',
    advice:
      'Correct the record, the field or the permission in ServiceNow, or mappings/crm/servicenow.yaml, then replay.',
  },
  'guest-owns-nothing': {
    retry: 'never',
    means: 'A command gives an identifier to a guest: a customer whom claims alone name.',
    advice: 'Name a person by an identifier that they own.',
  },
  'already-owned': {
    retry: 'never',
    means: 'A command confirms an identifier that the customer owns already.',
    advice: 'Nothing is left to do. Dismiss it.',
  },
  'owned-by-another': {
    retry: 'never',
    means: 'A command confirms an identifier that another customer owns.',
    advice: 'Merge the two if they are one person, or split the identifier off first.',
  },
  'claims-of-another': {
    retry: 'never',
    means:
      'An export is requested of a guest that claims what a person owns: nobody knows whose words its are.',
    advice: 'Export the person by an identifier that they own, or confirm or split the guest first.',
  },
  'identifier-limit': {
    retry: 'never',
    means: 'The customer owns as many identifiers of this type as identity.yaml allows.',
    advice: 'Split one off, or raise the limit in identity.yaml.',
  },
  'crm-reference': {
    retry: 'never',
    means: 'A command confirms or splits the id of a record in a CRM that is switched on.',
    advice:
      'Dismiss it. The customer is linked to the record as long as the record exists: change it in the CRM.',
  },
  'not-claimed': {
    retry: 'never',
    means: 'A command splits a claimed identifier that nobody claims beside the customer.',
    advice: 'Look at the customer again: it was split or confirmed already.',
  },
} satisfies Readonly<Record<string, CatalogueEntry>>;
