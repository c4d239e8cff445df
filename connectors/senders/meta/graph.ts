// https://developers.facebook.com/docs/graph-api/guides/error-handling
// The answer has a code, and a subcode where one code has several causes.

import * as z from 'zod';
import { memberOf } from '../../../core/formats/payload.ts';
import type { VendorAnswer, VendorErrors } from '../../../core/triggers/sending/http-sender.ts';

/** Meta answers a version for about two years. */
export const GRAPH = 'https://graph.facebook.com/v23.0';

export const bearer = (token: string): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${token}`,
});

/** The code of an error as `code/subcode` where the codes of the sender tell them apart, else without the subcode. */
export const codeOf =
  (errors: readonly VendorErrors[]) =>
  ({ body }: VendorAnswer): string | undefined => {
    const error = memberOf(body, 'error');
    const code = memberOf(error, 'code');
    const both = `${String(code)}/${String(memberOf(error, 'error_subcode'))}`;
    if (errors.some(({ codes }) => codes.includes(both))) return both;
    return code === undefined ? undefined : String(code);
  };

/** https://developers.facebook.com/docs/messenger-platform/error-codes, for Messenger and Instagram. */
export const messagingErrors: readonly VendorErrors[] = [
  { means: 'rate', codes: [4, 32, 613, 80002, 80006] },
  { means: 'down', codes: [2, 1200] },
  {
    means: 'never',
    codes: ['10/2018278', '10/2534022', '10/2018065'],
    advice: "More than 24 hours have passed since the person's last message: Meta takes answers only before.",
  },
  {
    means: 'never',
    codes: [551, '200/1545041', '100/2018001', '100/2534014'],
    advice: 'The person has blocked the business, or the account is closed or cannot get messages now.',
  },
  {
    means: 'account',
    codes: [3, 10, 230],
    advice: 'The app lacks the permission pages_messaging, or instagram_manage_messages.',
  },
  { means: 'account', codes: [190] },
  {
    means: 'account',
    codes: [368],
    advice: 'Meta has restricted the page for a violation of its policies: look at Page Quality.',
  },
];

export const SentMessage = z.looseObject({ message_id: z.string().min(1) });

/** The scope and the person of an address such as `<page>:<psid>`. */
export const scoped = (address: string): readonly [scope: string, person: string] => {
  const [scope = '', person = ''] = address.split(':');
  return [scope, person];
};
