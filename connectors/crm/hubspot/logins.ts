import type { CrmLogin } from '../../../core/crm/connector.ts';

const scopes =
  'crm.objects.contacts.read, crm.objects.contacts.write and crm.schemas.contacts.read; also crm.schemas.contacts.write if the hub is to create its own property, and sales-email-read if the mapping writes e-mails';

/** https://developers.hubspot.com/docs/apps/legacy-apps/private-apps/overview */
const privateApp: CrmLogin = {
  id: 'private-app',
  title: 'the access token of a private app (for one account of your own)',
  secrets: { accessToken: { about: 'the access token of the app (its Auth tab), which begins with pat-' } },
  steps: [
    'In HubSpot, as a super admin, open Development, Legacy apps (in older accounts Settings, Integrations, Private Apps), and create a private app.',
    `Scopes tab: select ${scopes}.`,
    'Create the app, open its Auth tab, and copy the access token. It does not expire; when it is rotated, run this command again.',
  ],
};

/** https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/oauth */
const oauth: CrmLogin = {
  id: 'oauth',
  title: 'an app that uses OAuth',
  secrets: {
    clientId: { about: 'the client id of the app' },
    clientSecret: { about: 'the client secret of the app' },
    refreshToken: { about: 'the refresh token that the installation of the app gave' },
  },
  steps: [
    `In the developer account, open the app, Auth: the client id, the client secret, and the scopes. Select ${scopes}.`,
    "Install the app in the account by the app's installation address, and exchange the code of the answer for tokens (POST /oauth/v1/token with grant_type=authorization_code).",
    'Copy the refresh_token of the answer. It is valid until the app is removed from the account.',
  ],
};

export const logins: readonly CrmLogin[] = [privateApp, oauth];
