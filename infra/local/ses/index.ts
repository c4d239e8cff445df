import type { SentMessages } from '../inbox/sent-messages.ts';
import { answerQuery, queryOperation } from '../protocol/query.ts';
import type { AwsService, ServiceContext } from '../protocol/service.ts';
import { configurationSets } from './configuration-sets.ts';
import { identities } from './identities.ts';
import type { SendingQuota } from './quota.ts';
import { type Receiving, receiving } from './receiving.ts';
import { sending } from './sending.ts';

export interface SesOptions {
  /** Whether the account is new: mail may also only be sent to verified identities, 200 a day. */
  readonly sandbox?: boolean;
  /** Addresses and domains that are verified from the beginning. Mail is sent from verified identities only. */
  readonly verified?: readonly string[];
  /** What the account may send; default 50,000 a day and 14 a second, in the sandbox 200 and 1. */
  readonly quota?: SendingQuota | undefined;
}

export interface Ses extends AwsService {
  /** Receives an e-mail. @throws ServiceError `MessageRejected` where no receipt rule matches it. */
  receiveMail: Receiving['receiveMail'];
}

/** The local SES, version 1 of the API: it stores what is sent, and applies its receipt rules to what is received. */
export const ses = (
  context: ServiceContext,
  sent: SentMessages,
  {
    sandbox = false,
    verified = [],
    quota = sandbox ? { day: 200, second: 1 } : { day: 50_000, second: 14 },
  }: SesOptions = {},
): Ses => {
  const received = receiving(context);
  const known = identities(context.db, verified);
  const sets = configurationSets(context.db);
  const operations = {
    ...received.operations,
    ...known.operations,
    ...sets.operations,
    ...sending(context, { sent, identities: known, sets, sandbox, quota }),
  };
  return {
    signingName: 'ses',
    receiveMail: received.receiveMail,
    operation: queryOperation,
    handle: (request) => answerQuery(request, 'http://ses.amazonaws.com/doc/2010-12-01/', operations),
  };
};
