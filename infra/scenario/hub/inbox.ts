import type { FrontRequest } from '../../local/api-gateway/http-api.ts';
import { inboxPage } from '../../local/inbox/inbox.ts';
import { ServiceError } from '../../local/protocol/json.ts';
import type { AwsResponse } from '../../local/protocol/service.ts';
import type { Cloud } from '../../local/runtime/cloud.ts';

type InboxRequest = Pick<FrontRequest, 'method' | 'target' | 'headers' | 'body'>;

/** The inbox of a hub: a page with the messages that it sent; a POST delivers an e-mail to it. */
export const hubInbox =
  (cloud: Pick<Cloud, 'sentMessages' | 'receiveMail'>) =>
  async (request: InboxRequest): Promise<AwsResponse> => {
    if (request.method === 'POST') return receiveMail(cloud, request);
    const headers = { 'content-type': 'text/html; charset=utf-8' };
    return { status: 200, headers, body: inboxPage(cloud.sentMessages.list()) };
  };

const answer = (status: number, text: string): AwsResponse => ({
  ...{ status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: `${text}\n` },
});

/** `POST /mail?from=…&to=…` with a message of RFC 5322 as its body. */
const receiveMail = async (
  cloud: Pick<Cloud, 'receiveMail'>,
  { target, headers, body }: InboxRequest,
): Promise<AwsResponse> => {
  const { pathname, searchParams } = new URL(target, 'http://127.0.0.1');
  const to = searchParams.getAll('to');
  // A page of another site cannot send this content type without a preflight request.
  if (pathname !== '/mail' || headers['content-type'] !== 'message/rfc822' || to.length === 0)
    return answer(400, 'Send a mail as message/rfc822 to /mail?from=ada@example.com&to=help@acme.example.');
  try {
    await cloud.receiveMail({ from: searchParams.get('from') ?? 'nobody@example.com', to, raw: body });
    return answer(202, 'SES received the mail.');
  } catch (error) {
    if (error instanceof ServiceError) return answer(422, error.message);
    throw error;
  }
};
