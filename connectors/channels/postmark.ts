import { accepted, channel, refused } from '../../core/channel.ts';
import { basicCredentials, sameTexts } from '../../core/signature.ts';

// Postmark signs nothing: user and password stand in the address, and come as basic authentication.

export const postmark = channel({
  id: 'postmark',
  title: 'Postmark (webhooks, inbound)',
  docs: 'https://postmarkapp.com/developer/webhooks/webhooks-overview',
  secrets: {
    user: { about: 'a user name of your own, for the address of the webhook' },
    password: { about: 'a long password of your own, for the address of the webhook' },
  },
  setup: 'Enter the address as https://USER:PASSWORD@… for each message stream and for inbound mail.',
  verify(request, { secrets }) {
    const given = basicCredentials(request.headers['authorization']);
    if (given === undefined) return refused('the request has no basic authentication');
    const right = secrets.user.flatMap((user) =>
      secrets.password.map((password) => sameTexts(given, [user, password])),
    );
    return right.includes(true)
      ? accepted(request)
      : refused('the user or the password is not the stored one');
  },
});
