/** What a command of the guides needs that the page cannot have, or why it does not run against a hub on this machine. */
export type Rule =
  | { readonly commands: RegExp; readonly not: string }
  | {
      readonly commands: RegExp;
      /** The command with values of this hub in place of those of the page. */
      readonly as?: (text: string, facts: Facts) => string;
      /** The exit code that the page says; default 0. */
      readonly exit?: number;
    };

/** What the hub on this machine has. */
export interface Facts {
  readonly url: string;
  /** The first of its ports; the next are the inbox, Salesforce, HubSpot, AWS and ServiceNow. */
  readonly port: number;
  /** The folder of the product. */
  readonly root: string;
  /** Its key of the API. */
  readonly key: string;
  /** The id of an open failure. */
  readonly failure: string;
  /** A file with the credentials of a CRM, by its id. */
  readonly secretFile: (crm: string) => string;
}

const secretOf = (text: string, { secretFile }: Facts): string =>
  text.replace(
    /(connect (\w+).*--secret) FILE/u,
    (_, before: string, crm: string) => `${before} ${secretFile(crm)}`,
  );

const account = 'needs an AWS account';
const longRun = 'runs until it is stopped';

/** The first rule whose pattern a command matches holds; a command without one runs as it is written. */
export const rules: readonly Rule[] = [
  { commands: /^npm start$/u, not: 'the hub of this check is started so' },
  { commands: /^npm test$/u, not: 'runs every test' },
  { commands: /^npx cdk (?:bootstrap|deploy)/u, not: account },
  { commands: /^export AWS_REGION=/u, not: 'the region of the hub on this machine is given' },
  {
    commands: /^aws (?:dynamodb|s3|kms|secretsmanager delete-secret)/u,
    not: 'deletes what a hub has left in an account',
  },
  {
    commands: /^aws secretsmanager put-secret-value .*crm\/hubspot/u,
    not: 'would replace the secret of the sandbox; hub connect does it below',
  },
  { commands: /^URL=…/u, as: (_, { url }) => `URL=${url}` },
  {
    commands: /^TOKEN=…/u,
    as: () =>
      `TOKEN=$(aws secretsmanager get-secret-value --secret-id acme/channels/twilio --query SecretString --output text | jq -r '.authToken | if type == "array" then .[0] else . end')`,
  },
  {
    commands: /^npx hub restore .*--dry-run/u,
    as: (text) => text.replace(/--to \S+/u, '--to "$(date -u -d "-6 minutes" +%FT%TZ)"'),
    exit: 1,
  },
  {
    commands: /^npx hub restore/u,
    not: 'a hub on this machine keeps no history that is older than five minutes',
  },
  { commands: /^npx hub doctor/u, exit: 1 },
  { commands: /^npx hub review resolve/u, not: 'answers an entry that a person, a shop or a CRM has caused' },
  { commands: /^npx hub customer confirm/u, as: (text) => text.replace('+14155550100', '+14155550177') },
  { commands: /^npx hub customer split/u, as: (text) => text.replace('+14155550100', '+14155550177') },
  {
    commands: /failures (?:show|edit|replay|dismiss) ID/u,
    as: (text, { failure }) => text.replace('ID', failure),
  },
  { commands: /^npx hub connect \w+$/u, not: 'asks on a terminal; the next command gives a file' },
  { commands: /^npx hub connect \w+ --webhook$/u, as: (text) => `HUB_SECRET_CLIENT_SECRET=secret ${text}` },
  { commands: /^npx hub connect .*FILE/u, as: secretOf },
  {
    commands: /^npx hub connect \w+ --create-fields$/u,
    as: (text, facts) => secretOf(`${text} --secret FILE`, facts),
  },
  {
    commands: /^npx hub import customers people.csv --map/u,
    as: (text) =>
      `printf 'Contact address,Notes\\ncarla@example.com,met at the fair\\n' > fair.csv && ${text.replace('people.csv', 'fair.csv')}`,
  },
  { commands: /^npx hub customer erase/u, as: (text) => `${text} --yes` },
  { commands: /^npm run synth|^npx cdk synth/u, as: (text, { root }) => `(cd "${root}" && ${text})` },
  {
    commands: /^curl .*127.0.0.1:47/u,
    as: (text, { port }) => text.replace(/:47(\d\d)/u, (_, offset: string) => `:${port + Number(offset)}`),
  },
  { commands: /^npm run local -- .*--compare/u, not: 'needs a DynamoDB of somebody else' },
  { commands: /^npm run local/u, not: longRun },
  { commands: /^npm run sandbox/u, not: longRun },
];
