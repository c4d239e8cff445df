import { addressParser } from 'postal-mime';
import { ServiceError } from '../protocol/json.ts';

interface Mailbox {
  readonly address?: string | undefined;
  readonly group?: readonly Mailbox[] | undefined;
}

/** The addresses of a list of mailboxes, those of groups included. */
export const addressesIn = (list: readonly Mailbox[]): string[] =>
  list.flatMap(({ address, group }) => [
    ...(address === undefined || address === '' ? [] : [address]),
    ...addressesIn(group ?? []),
  ]);

/** The address in `Name <address>`. @throws ServiceError where it is invalid or contains a line break. */
export const bareAddress = (text: string): string => {
  const [address = '', ...others] = addressesIn(addressParser(text));
  if (/[\r\n]/u.test(text) || others.length > 0 || !/^[^\s@]+@[^\s@]+$/u.test(address))
    throw new ServiceError('InvalidParameterValue', "Missing final '@domain'");
  if (/[^\x21-\x7e]/u.test(address.slice(0, address.lastIndexOf('@'))))
    throw new ServiceError('InvalidParameterValue', 'Local address contains non-ASCII characters.');
  return address;
};
