import type { CatalogueEntry } from './entry.ts';

/** Codes that the API, the webhook address and jobs answer a request with. */
export const requestErrors = {
  'unknown-route': {
    retry: 'never',
    means: 'The API has no such route.',
    advice: 'Compare method and path with the API documentation.',
  },
  'invalid-api-key': {
    retry: 'never',
    means: 'The request has no API key of this hub.',
    advice: 'Send the header `Authorization: Bearer <key>`.',
  },
  'invalid-json': {
    retry: 'never',
    means: 'The body is not JSON, or not a JSON object.',
    advice: 'Send a JSON object.',
  },
  'invalid-query': {
    retry: 'never',
    means: 'A query parameter is unknown or has a value that is not allowed.',
    advice: 'The answer names the parameter and what it takes.',
  },
  'invalid-command': {
    retry: 'never',
    means: 'The command does not have the form of any command.',
    advice: 'The answer names the key and what was expected.',
  },
  'decided-review': {
    retry: 'never',
    means: 'Somebody has decided the review already; the answer says who, when and how.',
    advice: 'Nothing, or undo it: a merge with `hub customer unmerge`.',
  },
  'invalid-probe': {
    retry: 'never',
    means: 'The body of a request to probe a CRM does not have its form.',
    advice: 'Send no body, or `{"account": "…"}` with the account of the CRM in which the hub is to go on.',
  },
  'invalid-preview': {
    retry: 'never',
    means: 'The body of a request to preview or to test a template does not have its form.',
    advice: 'The answer names the key and what was expected.',
  },
  'closed-address': {
    retry: 'never',
    means:
      'The owner of the address has closed it, by STOP, a bounce or a complaint: not even a test is sent there.',
    advice: 'Send the test to another address.',
  },
  'future-time': {
    retry: 'never',
    means: 'The `at` of a command is in the future.',
    advice: 'Send the time of the decision, or omit it.',
  },
  'invalid-events': {
    retry: 'never',
    means:
      'The body is not one event, a list of events, or an object with the key `events`, or holds too many.',
    advice: 'Split the list into several requests.',
  },
  'invalid-event': {
    retry: 'never',
    means: 'One of the reported events is not valid; the others were accepted.',
    advice: 'The result of the event names the key and what was expected.',
  },
  'oversized-event': {
    retry: 'never',
    means: 'One of the reported events has too many bytes; the others were accepted.',
    advice: 'Shorten its text or its properties.',
  },
  'invalid-identifier': {
    retry: 'never',
    means: 'The identifier does not have the form `type:value`, or its value does not fit its type.',
    advice: 'Write it like `email:ada@example.com` or `phone:+14155550100`.',
  },
  'unknown-attachment': {
    retry: 'never',
    means: 'The customer has no such interaction, or the interaction has no such file.',
    advice: 'Read the timeline again.',
  },
  'unavailable-file': {
    retry: 'never',
    means: 'The file was not copied from the provider.',
    advice: '`hub failures list` shows whether the copy failed; look for the file at the provider.',
  },
  'invalid-erasure': {
    retry: 'never',
    means: 'The request for an erasure is not valid.',
    advice: 'The answer names the key and what was expected.',
  },
  'unknown-erasure': {
    retry: 'never',
    means: 'There is no erasure with this id.',
    advice: 'List the erasures with `hub customer erasures`.',
  },
  'invalid-job': {
    retry: 'never',
    means: 'The request for a job is not valid.',
    advice: 'The answer names the key and what was expected.',
  },
  'invalid-parameters': {
    retry: 'never',
    means: 'The parameters do not fit the kind of job.',
    advice: 'The answer names the key and what was expected.',
  },
  'unknown-job': {
    retry: 'never',
    means: 'There is no job with this id.',
    advice: 'List the jobs with `hub jobs list`.',
  },
  'unknown-job-kind': {
    retry: 'never',
    means: 'This hub has no jobs of this kind.',
    advice: 'The answer lists the kinds. If another release created the job, deploy that release.',
  },
  'unknown-step': {
    retry: 'never',
    means: 'The checkpoint of an erasure names a step that this release does not have.',
    advice:
      'Deploy the release that started the erasure, or begin its steps anew with `POST /erasures/{id}/resume`.',
  },
  'unknown-file': {
    retry: 'never',
    means: 'The job has no such file of refused rows.',
    advice: 'The answer names the number of files.',
  },
  'missing-file': {
    retry: 'never',
    means: 'The file of an import is not in the bucket: it was never uploaded, or has expired.',
    advice: 'Run the import again.',
  },
  'changed-file': {
    retry: 'never',
    means: 'Another file was uploaded to an import while the first one was being read.',
    advice: 'Import each file in a job of its own.',
  },
  'invalid-file': {
    retry: 'never',
    means: 'The file of an import is empty, or its encoding or header cannot be read.',
    advice: 'Correct the file as the message describes and run the import again.',
  },
  'unknown-columns': {
    retry: 'never',
    means: 'Columns of the imported file are unknown, or none identifies the customer.',
    advice: 'Map them with `--map COLUMN=FIELD`, or exclude them with `--ignore COLUMN`.',
  },
  'unknown-crm': {
    retry: 'never',
    means: 'The hub is not connected to a CRM with this id.',
    advice: 'List the connected CRMs with `hub connections`; switch one on under `crms` of hub.yaml.',
  },
  'unknown-failure': {
    retry: 'never',
    means: 'There is no failure with this id.',
    advice: 'List the failures with `hub failures list --status all`.',
  },
  'closed-failure': {
    retry: 'never',
    means: 'Only the payload of an open failure can be edited.',
    advice: 'Look at the status of the failure.',
  },
  'dismissed-failure': {
    retry: 'never',
    means: 'The failure was dismissed, so it cannot be replayed.',
    advice: 'Send the work again from its source.',
  },
  'missing-payload': {
    retry: 'never',
    means: 'The payload of the failure is not stored any more.',
    advice: 'Dismiss the failure.',
  },
  'invalid-payload': {
    retry: 'never',
    means: 'The edited payload does not have the form that its stage expects.',
    advice: 'The answer names the key and what was expected.',
  },
  'unknown-stage': {
    means: 'The hub has no stage of this name.',
    advice: 'The message lists the stages.',
  },
  'inactive-stage': {
    retry: 'never',
    means: 'The stage of the failure is not part of this deployment.',
    advice: 'Switch it on in mappings/hub.yaml and deploy, or dismiss the failure.',
  },
  'invalid-pattern': {
    retry: 'never',
    means: 'An event pattern is not valid.',
    advice: 'The message names the key and what was expected.',
  },
  'oversized-pattern': {
    retry: 'never',
    means: "A trigger's event pattern is longer than EventBridge accepts.",
    advice: 'Move conditions from `on` to `where`.',
  },
  'invalid-template': {
    retry: 'never',
    means: 'A template cannot be parsed, or uses what it may not use.',
    advice: 'The message names the file and the position.',
  },
  'invalid-trigger': {
    retry: 'never',
    means: 'A trigger that was sent to be checked or published is not valid.',
    advice: 'The answer names each fault with its file, line and key, and what was expected.',
  },
  'edited-trigger': {
    retry: 'never',
    means:
      'The published trigger was edited elsewhere since these files were last published, so they did not replace it.',
    advice:
      'Compare with `hub trigger diff FILE`. Take the edit over into the file, or replace it with `--overwrite`.',
  },
  'unknown-notification': {
    retry: 'never',
    means:
      'There is no decision with this id: the trigger did not match the interaction, or its person was erased.',
    advice: 'List the decisions about a customer with `hub why IDENTIFIER`.',
  },
  'unplayable-trigger': {
    retry: 'never',
    means: 'A trigger with `steps` or `each` cannot be played over the past yet.',
    advice: 'Play a trigger with `on` and `send`, such as one message of the series in a file of its own.',
  },
  'unsuitable-interaction': {
    retry: 'never',
    means: 'A trigger cannot be tried on this customer: no stored interaction of theirs would set it off.',
    advice: 'Name an interaction, or invent one with `--interaction "{ kind: order }"`.',
  },
  'missing-template': {
    retry: 'never',
    means: 'A trigger names a template that does not exist, or that has no file for any of its channels.',
    advice: 'Add the template to mappings/templates/, or correct the name in the trigger.',
  },
  'unknown-team': {
    retry: 'never',
    means: 'A trigger names a team that hub.yaml does not have, or whose office hours it does not have.',
    advice: 'Add the team under `teams` or `hours` in hub.yaml, or correct the name in the trigger.',
  },
  'rule-quota': {
    retry: 'never',
    means: 'The event bus has as many rules as AWS allows.',
    advice: 'Unpublish a trigger, avoid wildcards in `on`, or ask AWS for a higher quota.',
  },
  'rule-without-target': {
    retry: 'later',
    means: 'EventBridge stored the rule of a trigger but not its target.',
    advice: 'Publish the trigger again.',
  },
  'unknown-provider': {
    retry: 'never',
    means: 'A webhook was sent to a provider name that the hub does not have.',
    advice: 'Correct the webhook address at the provider. The README lists the providers.',
  },
  'unsupported-method': {
    retry: 'never',
    means: 'A webhook was sent with an HTTP method that its provider does not use.',
    advice: 'Set the provider to send POST.',
  },
  'oversized-body': {
    retry: 'never',
    means: 'The body of a webhook is larger than the hub accepts.',
    advice: 'Let the provider send less: most can send links instead of attachments.',
  },
  'unauthentic-webhook': {
    retry: 'never',
    means: 'The signature of a webhook is missing, wrong or too old.',
    advice: 'The log of the receive function names the reason. Store the current secret with `hub connect`.',
  },
  'temporary-failure': {
    retry: 'later',
    means: 'The hub could not accept the request now.',
    advice: 'Send it again later; the Retry-After header says when.',
  },
} satisfies Readonly<Record<string, CatalogueEntry>>;
