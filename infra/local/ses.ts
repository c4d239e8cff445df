import PostalMime from 'postal-mime';
import { ServiceError } from './json.ts';
import type { Outbox } from './outbox.ts';
import { answerQuery, listOf, type QueryOperation, queryOperation } from './query-protocol.ts';
import type { AwsService, Surroundings } from './service.ts';

const tagsOf = (input: URLSearchParams): Record<string, string> => {
  const tags: Record<string, string> = {};
  for (let at = 1; input.has(`Tags.member.${at}.Name`); at++) {
    tags[input.get(`Tags.member.${at}.Name`) ?? ''] = input.get(`Tags.member.${at}.Value`) ?? '';
  }
  return tags;
};

const HEADERS_SHOWN = /^(?:list-unsubscribe|list-unsubscribe-post|message-id|reply-to|x-.*)$/iu;

/** SES (version 1) on one machine: what it sends lands in the outbox. */
export const ses = ({ clock, newId }: Surroundings, sent: Outbox): AwsService => {
  const expectRecipients = (to: readonly string[]): void => {
    if (to.length === 0) throw new ServiceError('InvalidParameterValue', 'Missing destination.');
    if (to.length > 50) throw new ServiceError('MessageRejected', 'Recipient count exceeds 50.');
    if (to.some((one) => /[\r\n]/u.test(one) || !one.includes('@')))
      throw new ServiceError('InvalidParameterValue', "Missing final '@domain'");
  };
  const at = (): string => new Date(clock.now()).toISOString();
  const operations: Record<string, QueryOperation> = {
    SendEmail(input) {
      const to = listOf(input, 'Destination.ToAddresses');
      expectRecipients(to);
      const id = newId();
      const [text, html] = [input.get('Message.Body.Text.Data'), input.get('Message.Body.Html.Data')];
      sent.add({
        id,
        at: at(),
        medium: 'email',
        to,
        from: input.get('Source') ?? '',
        subject: input.get('Message.Subject.Data') ?? '',
        ...(text !== null && { text }),
        ...(html !== null && { html }),
        tags: tagsOf(input),
      });
      return `<MessageId>${id}</MessageId>`;
    },
    async SendRawEmail(input) {
      const mail = await PostalMime.parse(Buffer.from(input.get('RawMessage.Data') ?? '', 'base64'));
      const addressed = (mail.to ?? []).flatMap(({ address }) => (address === undefined ? [] : [address]));
      const named = listOf(input, 'Destinations');
      const to = named.length > 0 ? named : addressed;
      expectRecipients(to);
      const id = newId();
      sent.add({
        id,
        at: at(),
        medium: 'email',
        to,
        from: input.get('Source') ?? mail.from?.address ?? '',
        ...(mail.subject !== undefined && { subject: mail.subject }),
        ...(mail.text !== undefined && { text: mail.text }),
        ...(mail.html !== undefined && { html: mail.html }),
        headers: Object.fromEntries(
          mail.headers.filter(({ key }) => HEADERS_SHOWN.test(key)).map(({ key, value }) => [key, value]),
        ),
        tags: tagsOf(input),
      });
      return `<MessageId>${id}</MessageId>`;
    },
    GetSendQuota: () =>
      '<Max24HourSend>200</Max24HourSend><MaxSendRate>1</MaxSendRate><SentLast24Hours>0</SentLast24Hours>',
    VerifyEmailIdentity: () => '',
  };
  return {
    signingName: 'ses',
    operation: queryOperation,
    handle: (request) => answerQuery(request, 'http://ses.amazonaws.com/doc/2010-12-01/', operations),
  };
};
