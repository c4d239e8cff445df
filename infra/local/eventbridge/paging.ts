import * as z from 'zod';

/** The fields of a request for a page of a list. */
export const Page = {
  Limit: z.int().min(1).max(100).default(100),
  NextToken: z.string().default(''),
};

/** A page of a list that is sorted by name. The token is the name of the previous page's last entry. */
export const paged = <T>(
  all: readonly T[],
  nameOf: (one: T) => string,
  { Limit, NextToken }: { readonly Limit: number; readonly NextToken: string },
): { readonly page: readonly T[]; readonly NextToken?: string } => {
  const after = Buffer.from(NextToken, 'base64url').toString();
  const rest = all.filter((one) => nameOf(one) > after);
  const page = rest.slice(0, Limit);
  const last = page.at(-1);
  return last === undefined || rest.length === page.length
    ? { page }
    : { page, NextToken: Buffer.from(nameOf(last)).toString('base64url') };
};
