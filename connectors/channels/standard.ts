// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
// The key is the base64 after `whsec_`, decoded, and not its text; the header holds several signatures during a rotation.

import { standardSchemes, verifyStandard } from '../../core/webhooks/authentication.ts';
import { channel } from '../../core/webhooks/channel.ts';

export const standard = channel({
  id: 'standard',
  title: 'Your own programs (Standard Webhooks)',
  docs: 'https://www.standardwebhooks.com/',
  secrets: {
    signingSecret: { about: 'a secret of your own: whsec_ and at least 24 random bytes in base64' },
  },
  schemes: standardSchemes,
  verify: (request, { secrets, now }) => verifyStandard(request, 'webhook', secrets.signingSecret, now),
});
