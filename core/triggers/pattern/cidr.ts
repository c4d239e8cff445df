import { isIPv4, isIPv6 } from 'node:net';

/** A test for addresses inside an IP range, or undefined where the range is not one. Without a mask it is one address. */
export const cidrMatcher = (range: string): ((address: string) => boolean) | undefined => {
  const [address = '', mask, ...more] = range.split('/');
  const base = bits(address);
  if (base === undefined || more.length > 0) return undefined;
  const length = mask === undefined ? base.length : Number(mask);
  if (mask !== undefined && (!/^\d+$/u.test(mask) || length > base.length)) return undefined;
  const prefix = base.slice(0, length);
  return (candidate) => {
    const value = bits(candidate);
    return value !== undefined && value.length === base.length && value.startsWith(prefix);
  };
};

/** An address as 32 or 128 binary digits. */
const bits = (address: string): string | undefined => {
  if (isIPv4(address))
    return address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  if (!isIPv6(address) || address.includes('%')) return undefined;
  const embedded = /(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/u.exec(address);
  const plain = embedded
    ? address.slice(0, embedded.index) +
      [0, 2].map((at) => (Number(embedded[at + 1]) * 256 + Number(embedded[at + 2])).toString(16)).join(':')
    : address;
  const [head = '', tail] = plain.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const zeros = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, '0'))
    .join('');
};
