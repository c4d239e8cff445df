// https://www.iana.org/assignments/smtp-enhanced-status-codes
// Providers call a refusal permanent also where it is about us (a listed IP, content, policy) or passes (a full mailbox). Only an
// address that does not work is a hard bounce.

/** Enhanced codes that are not about the recipient's address: mailbox full or message too large, content, policy, our address. */
const NOT_THE_ADDRESS =
  /^(?:4\.\d{1,3}\.\d{1,3}|5\.1\.[78]|5\.2\.[23]|5\.3\.\d{1,3}|5\.6\.\d{1,3}|5\.7\.\d{1,3})$/u;
const NOBODY =
  /user unknown|unknown user|no such (?:user|recipient|mailbox)|(?:user|mailbox|account|recipient|address)\b[^.;]{0,40}\b(?:not (?:exist|found)|unknown|disabled|unavailable|invalid)|invalid (?:recipient|mailbox)|recipient (?:address )?rejected: user/iu;
const ABOUT_US =
  /block(?:ed|list)|black ?list|spamhaus|spamcop|barracuda|sorbs|dnsbl|\brbl\b|reputation|spam (?:message|content|detected)|detected as spam|\bDMARC\b|\bSPF\b|\bDKIM\b|rate limit|too many (?:messages|connections)|over quota|mailbox (?:is )?full|quota exceeded/iu;

/** Whether a refusal that a provider calls permanent is not about the recipient's address, by what the other server answered. */
export const refusesSender = (...answers: readonly (string | number | null | undefined)[]): boolean => {
  const text = answers.map((answer) => answer ?? '').join(' ');
  if (NOBODY.test(text)) return false;
  const [code = ''] = /\b[245]\.\d{1,3}\.\d{1,3}\b/u.exec(text) ?? [];
  return NOT_THE_ADDRESS.test(code) || ABOUT_US.test(text);
};
