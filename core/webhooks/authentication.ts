import { accepted, refused, type Verdict, type WebhookRequest } from './channel.ts';
import { basicCredentials, hmac, isFresh, sameAsAny, sameTexts } from './signature.ts';

/** Schemes that several providers share, judged once. */

interface TimedScheme {
  /** Its value is `t=<epoch seconds>,<part>=<hex HMAC-SHA256 of "<t>.<body>">`; the part may stand several times. */
  readonly header: string;
  readonly part: string;
  readonly secrets: readonly string[];
  /** What the admin should check where no signature matches. */
  readonly secret: string;
  readonly toleranceSeconds: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** A signature with its time in one header. Any of several signatures, made with any of several secrets, is enough. */
export const judgeTimed = (
  request: WebhookRequest,
  { header: name, part, secrets, secret, toleranceSeconds, now }: TimedScheme,
): Verdict => {
  const header = request.headers[name];
  if (header === undefined) return refused(`the header ${name} is missing`);
  const parts = header.split(',').map((one) => one.trim());
  const timestamp = parts.find((one) => one.startsWith('t='))?.slice(2) ?? '';
  const given = parts
    .filter((one) => one.startsWith(`${part}=`))
    .map((one) => one.slice(part.length + 1).toLowerCase());
  const expected = secrets.map((key) => hmac('sha256', key, 'hex', `${timestamp}.`, request.body));
  if (!given.map((one) => sameAsAny(one, expected)).includes(true))
    return refused(`no signature ${part} matches; check ${secret}`);
  return isFresh(Number(timestamp) * 1000, now, toleranceSeconds)
    ? accepted(request)
    : refused('the request is stale');
};

/** HTTP basic authentication, for vendors that sign nothing. */
export const judgeBasic = (
  request: WebhookRequest,
  secrets: { readonly user: readonly string[]; readonly password: readonly string[] },
): Verdict => {
  const given = basicCredentials(request.headers['authorization']);
  if (given === undefined) return refused('the request has no basic authentication');
  const right = secrets.user.flatMap((user) =>
    secrets.password.map((password) => sameTexts(given, [user, password])),
  );
  return right.includes(true) ? accepted(request) : refused('the user or the password is not the stored one');
};
