import * as z from 'zod';

/** An id or another value that a vendor writes as text in one payload and as a number in another; parsed to text. */
export const VendorId = z.union([z.string(), z.number()]).transform(String);
