import type { CrmLogin } from '../../../core/crm/connector.ts';

const common = {
  loginUrl: {
    about: 'the My Domain of the org (Setup, My Domain), such as https://acme.my.salesforce.com',
  },
  clientId: { about: 'the consumer key of the app (Settings, OAuth Settings, Consumer Key and Secret)' },
} as const;

const user =
  'Setup, Users: make a user for the hub with the licence Salesforce Integration and the profile Minimum Access - API Only Integrations. Make a permission set with API Enabled, with read and edit on Contact, Task and what else the mapping writes, and with read and edit on each mapped field, Hub_Id__c too; assign it to the user, with the permission set licence Salesforce API Integration.';

const app =
  'Setup, External Client App Manager: New External Client App; Distribution State Local; Enable OAuth; a callback URL such as https://login.salesforce.com/services/oauth2/success; the scopes Manage user data via APIs (api) and Access unique user identifiers (openid)';

/** https://help.salesforce.com/s/articleView?id=xcloud.configure_client_credentials_flow_for_external_client_apps.htm */
const clientCredentials: CrmLogin = {
  id: 'client-credentials',
  title: 'client credentials (recommended: nothing expires, nobody has to log in)',
  secrets: {
    ...common,
    clientSecret: { about: 'the consumer secret of the app, beside its consumer key' },
  },
  steps: [
    user,
    `${app}; under Flow Enablement, Enable Client Credentials Flow. Create.`,
    "The app's Policies tab, Edit, OAuth Flows: Enable Client Credentials Flow, and the user of the hub as Run As (Username). Save.",
    "The app's Settings tab, OAuth Settings: copy the consumer key and the consumer secret.",
  ],
};

/** https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_jwt_flow.htm */
const jwtBearer: CrmLogin = {
  id: 'jwt-bearer',
  title: 'JWT bearer (a key of your own instead of a secret of the app)',
  secrets: {
    ...common,
    username: { about: 'the user name of the hub in Salesforce' },
    privateKey: { about: 'the private key (PEM) of the certificate in the app', lines: true },
  },
  steps: [
    user,
    'Make a key and a certificate: openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=hub -keyout hub.key -out hub.crt',
    `${app}; under Flow Enablement, Enable JWT Bearer Flow, and upload hub.crt. Create.`,
    "The app's Policies tab: Permitted Users, Admin approved users are pre-authorized; select the permission set of the hub's user.",
    "The app's Settings tab, OAuth Settings: copy the consumer key.",
  ],
};

/** https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_refresh_token_flow.htm */
const refreshToken: CrmLogin = {
  id: 'refresh-token',
  title: 'a refresh token (somebody logs in once in a browser)',
  secrets: {
    ...common,
    clientSecret: { about: 'the consumer secret of the app, if it has one', optional: true },
    refreshToken: { about: 'the refresh token that the login in the browser gave' },
  },
  steps: [
    user,
    `${app}, and also Perform requests at any time (refresh_token, offline_access). Create.`,
    "The app's Policies tab: Refresh Token Policy, valid until revoked.",
    'Log in once as the user of the hub with the web server flow of the app, and copy the refresh_token of the answer.',
  ],
};

export const logins: readonly CrmLogin[] = [clientCredentials, jwtBearer, refreshToken];
