import type { CrmLogin } from '../../../core/crm/connector.ts';

const instanceUrl = { about: 'the address of the instance, such as https://acme.service-now.com' } as const;

const user = [
  'Under User Administration, Users make a user for the hub: Web service access only, time zone GMT (the times in queries are read in it), language English.',
  'Give it the roles `sn_customerservice_agent` (contacts, interactions, cases), `user_admin` (contacts are users, which agents may not write) and `personalize_dictionary` (reads sys_dictionary and sys_choice, and creates columns).',
] as const;

const rights = [
  'Let one of its roles read deletions: System Security, Access Control (ACL), New, type record, operation read, name `sys_audit_delete` (as an administrator with the elevated role security_admin). Without it the hub learns that a contact was deleted when it next writes to it.',
  'Add a column `u_hub_id` (String, 64, unique) to customer_contact and to interaction, or let `--create-fields` do it.',
] as const;

/** The ways to log in to ServiceNow. */
export const logins: readonly CrmLogin[] = [
  {
    id: 'client-credentials',
    title: 'OAuth client credentials',
    secrets: {
      instanceUrl,
      clientId: { about: 'the client id of the OAuth application' },
      clientSecret: { about: 'its client secret' },
    },
    steps: [
      ...user,
      'Set the system property `glide.oauth.inbound.client.credential.grant_type.enabled` to true. It may have to be created (type true | false): the grant is off by default.',
      'Under System OAuth, Application Registry, New, Create an OAuth API endpoint for external clients. Copy the client id and the client secret.',
      'On its form add the field OAuth Application User (Configure, Form Design) and select the user of the hub. If the instance has REST API Auth Scopes, give it one that allows the Table API and the Batch API.',
      ...rights,
    ],
  },
  {
    id: 'basic',
    title: 'User name and password',
    secrets: {
      instanceUrl,
      username: { about: 'a user for the hub alone, marked as web service access only' },
      password: { about: 'its password' },
    },
    steps: [...user, 'Set a password for it (Set Password).', ...rights],
  },
];
