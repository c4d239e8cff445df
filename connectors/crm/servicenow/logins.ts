import type { CrmLogin } from '../../../core/crm/connector.ts';

const instanceUrl = { about: 'the address of the instance, such as https://acme.service-now.com' } as const;

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
      'Set the system property `glide.oauth.inbound.client.credential.grant_type.enabled` to true (it may have to be created): the grant is off by default.',
      'Under System OAuth > Application Registry make an OAuth API endpoint for external clients, with the grant type Client Credentials and an OAuth application user.',
      'Give that user the role `sn_customerservice_agent`, or roles that may read and write customer_contact and interaction, and read sys_dictionary and sys_choice.',
      'Add a column `u_hub_id` (String, 64, unique) to customer_contact and to interaction.',
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
    steps: [
      'Make a user for the hub with "Web service access only".',
      'Give it the role `sn_customerservice_agent`, or roles that may read and write customer_contact and interaction, and read sys_dictionary and sys_choice.',
      'Add a column `u_hub_id` (String, 64, unique) to customer_contact and to interaction.',
    ],
  },
];
