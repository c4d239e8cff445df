import { HubError } from '../../core/errors.ts';
import type { HttpContext } from '../../core/triggers/sending/http-sender.ts';
import { isRefusal, NotNow } from '../../core/triggers/sending/sender.ts';
import type { SenderDeclaration } from '../../core/triggers/sending/sender-declaration.ts';
import type { Finding } from './doctor-hub.ts';

const TIME_LIMIT_MS = 10_000;

/** Asks the vendor of a sender whether it accepts a secret, by a request that sends nothing. */
export const checkSender = async (
  { id, title, build }: SenderDeclaration<HttpContext>,
  secret: unknown,
): Promise<Finding> => {
  const { check } = build({
    fetch,
    timeLimit: () => AbortSignal.timeout(TIME_LIMIT_MS),
    secret: async () => secret,
    publicUrl: process.env['HUB_URL'] ?? '',
  });
  const subject = `sender ${id}`;
  try {
    return { state: 'ok', subject, detail: `leads to ${(await check?.()) ?? 'an account'}` };
  } catch (error) {
    if (!(error instanceof HubError))
      return {
        state: 'unknown',
        subject,
        detail: `${title} did not answer (${error instanceof Error ? error.message : 'an error'})`,
      };
    const isWrong = isRefusal(error) && !(error instanceof NotNow && error.why !== 'account');
    return { state: isWrong ? 'wrong' : 'unknown', subject, detail: error.message };
  }
};
