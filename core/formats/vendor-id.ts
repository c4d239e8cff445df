import * as z from 'zod';

/** An id, or another value, that a vendor writes as a text in one payload and as a number in another; read as text. */
export const VendorId = z.union([z.string(), z.number()]).transform(String);
