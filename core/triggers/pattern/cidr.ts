import { isIPv4, isIPv6 } from 'node:net';

/**
 * A test for addresses inside an IP range, taken and refused as by AWS's event-ruler (`CIDR.java`): a mask of at most 31 or
 * 127 bits. Throws what `refuse` makes of the reason.
 */
export const cidrMatcher = (
  range: string,
  refuse: (reason: string) => Error,
): ((address: string) => boolean) => {
  const [address = '', mask, ...more] = range.split('/');
  const base = addressBits(address);
  const length = Number(mask ?? base?.length);
  const inIPv6 = address.includes(':');
  if (inIPv6 && (base === undefined ? address.includes('.') : base.length === 32 && length >= 32))
    throw refuse('EventBridge takes no IPv4 written as IPv6; write an IPv4 range such as 10.0.0.0/24');
  if (base === undefined || more.length > 0 || (mask !== undefined && !/^\d+$/u.test(mask)))
    throw refuse('expected an IP range such as 10.0.0.0/24 or 2001:db8::/32');
  if (mask === undefined || length === base.length)
    throw refuse(`expected more than one address; list a single one as a value: ["${address}"]`);
  if (length > base.length) throw refuse(`expected a mask from /0 to /${base.length - 1}`);
  const prefix = base.slice(0, length);
  return (candidate) => {
    const value = addressBits(candidate);
    return value !== undefined && value.length === base.length && value.startsWith(prefix);
  };
};

const MAPPED_IPV4 = '0'.repeat(80) + '1'.repeat(16);

/**
 * An address as 32 or 128 binary digits. As in AWS's event-ruler, `::ffff:` addresses are IPv4, and one with colons and dots is
 * none.
 */
export const addressBits = (address: string): string | undefined => {
  if (isIPv4(address))
    return address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  if (!isIPv6(address) || /[.%]/u.test(address)) return undefined;
  const [head = '', tail] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const zeros = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0');
  const digits = [...left, ...zeros, ...right]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0'))
    .join('');
  return digits.startsWith(MAPPED_IPV4) ? digits.slice(MAPPED_IPV4.length) : digits;
};
