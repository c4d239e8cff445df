import type { CatalogueEntry } from './entry.ts';

/** Codes of the `hub` commands and of the deployment. */
export const commandErrors = {
  'invalid-arguments': {
    retry: 'never',
    means: 'A command has an argument that it does not take, or lacks one.',
    advice: 'The message shows the form; `hub help COMMAND` lists all options.',
  },
  'missing-hub-address': {
    retry: 'never',
    means: 'HUB_URL or HUB_KEY is not set, or HUB_URL is no address.',
    advice:
      'Set both: `npm start` prints them for a hub on this machine, docs/admin.md explains a deployed one.',
  },
  'api-refusal': {
    retry: 'never',
    means: 'The hub refused a request of the command, or the address is not that of a hub.',
    advice: 'The message is the answer of the hub. HUB_URL is the address of the API without a path.',
  },
  'command-refusal': {
    retry: 'never',
    means: 'The hub accepted a command and then refused to execute it.',
    advice: 'The message is the reason. `hub failures list` shows the same entry.',
  },
  'unrestorable-time': {
    retry: 'never',
    means: 'The table cannot be restored to this time.',
    advice:
      'The message shows the range. Point-in-time recovery reaches 35 days back and ends five minutes ago.',
  },
  'erased-people-left': {
    retry: 'never',
    means: 'A restored table still has rows of people who were erased.',
    advice: 'Do not use the table. Run `hub restore` again with the same arguments: it continues.',
  },
  'user-abort': {
    retry: 'never',
    means: 'The user left a question unanswered.',
    advice: 'Nothing was changed. Run the command again.',
  },
  'missing-secret': {
    retry: 'never',
    means: 'A secret value that the connector needs was not entered.',
    advice: 'Run `hub connect` again with all values that the message lists.',
  },
  'missing-aws-account': {
    retry: 'never',
    means: 'There is no AWS region or there are no AWS credentials in the environment.',
    advice: 'Set AWS_REGION and the credentials of the account.',
  },
  'unknown-stack': {
    retry: 'never',
    means: 'CloudFormation does not return the stack.',
    advice: 'Name it with `--stack`, and compare AWS_REGION with the region of the hub.',
  },
  'editor-failure': {
    retry: 'never',
    means: 'The editor ended with an error, so nothing was saved.',
    advice: 'Set EDITOR to an editor that works in this terminal.',
  },
  'upload-failure': {
    retry: 'never',
    means: 'The upload of a file was interrupted, so nothing was imported.',
    advice: 'Run the command again.',
  },
  'download-failure': {
    retry: 'never',
    means: 'The bucket did not return the file.',
    advice: 'Run the command again. Refused rows expire after 30 days.',
  },
  'cloudformation-refusal': {
    retry: 'later',
    means: 'CloudFormation did not accept the outcome of the custom resource that applies mappings/.',
    advice: 'It is retried automatically; look at the events of the stack.',
  },
  'synthesis-failure': {
    retry: 'never',
    means: 'The CloudFormation template could not be made.',
    advice: 'The message is the output of the CDK app.',
  },
  'unexpected-answer': {
    retry: 'never',
    means: 'The answer of the hub does not have the shape that this release of the command expects.',
    advice: 'Use the `hub` command of the release that is deployed.',
  },
  'unreadable-file': {
    retry: 'never',
    means: 'A file that a command names cannot be read.',
    advice: 'Correct the path or the permissions of the file.',
  },
} satisfies Readonly<Record<string, CatalogueEntry>>;
