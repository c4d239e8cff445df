import * as z from 'zod';
import { ReceiptKey, signatureFault, signContent } from '../../privacy/signature.ts';

/** Everything about one decision on one sheet. */
const Evidence = z.strictObject({
  format: z.literal('tributary-decision-1'),
  hub: z.string(),
  /** When the sheet was made. */
  madeAt: z.string(),
  id: z.string(),
  sentences: z.array(z.string()),
  /** The row of the decision, with its checks. */
  notification: z.record(z.string(), z.json()),
  /** The version that decided, as it was written. */
  trigger: z.json(),
  /** The interaction that set it off, with the customer as it was then. */
  interaction: z.json(),
  /** The answers about the channel of the message up to the decision, with their evidence, oldest first. */
  consent: z.array(z.json()),
  /** `kept`: the text that was stored when it was sent. `rendered`: from the template of that version, now. */
  body: z
    .strictObject({
      from: z.enum(['kept', 'rendered']),
      subject: z.string().optional(),
      text: z.string().optional(),
      html: z.string().optional(),
    })
    .nullable(),
});

/** The sheet to be read, and beside it the same as a compact JWS with its key. */
export const SignedEvidence = z.strictObject({ evidence: Evidence, key: ReceiptKey, jws: z.string() });
export type SignedEvidence = z.infer<typeof SignedEvidence>;

/** `content`: values that JSON can hold; what it cannot is left out. Signed as receipts of erasures are, with the same key. */
export const signEvidence = (content: object, secret: string): SignedEvidence => {
  const evidence = Evidence.parse(JSON.parse(JSON.stringify(content)));
  return { evidence, ...signContent(evidence, evidence.format, secret) };
};

/** Why a sheet is not to be believed; undefined where it is. */
export const evidenceFault = ({ evidence, ...signature }: SignedEvidence): string | undefined =>
  signatureFault(evidence, signature);
