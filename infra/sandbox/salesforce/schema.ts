import * as z from 'zod';
import type { SandboxAnswer } from '../protocol/server.ts';

/** Fields by object, with the length of their longest text; undefined where it is not limited. */
export type SalesforceFields = Readonly<Record<string, Readonly<Record<string, number | undefined>>>>;

/** Fields by object that every organisation has. */
export const standardFields: SalesforceFields = {
  Contact: { FirstName: 40, LastName: 80, Email: 80, Phone: 40, LeadSource: 255, Rating: 40 },
  Task: {
    ...{ Subject: 255, Description: 32_000, ActivityDate: undefined },
    ...{ TaskSubtype: 40, Status: 40, WhoId: 18 },
  },
};

const prefixes: Readonly<Record<string, string>> = { Contact: '003', Task: '00T' };

/** The 18-character id of a record. */
export const recordId = (object: string, serial: number): string =>
  `${prefixes[object] ?? '000'}${serial.toString(36).toUpperCase().padStart(12, '0')}AAA`;

export const Login = z.object({
  grant_type: z.enum(['client_credentials', 'password', 'urn:ietf:params:oauth:grant-type:jwt-bearer']),
  client_id: z.string().optional(),
  client_secret: z.string().optional(),
});
export const Collection = z.object({
  allOrNone: z.boolean().default(false),
  records: z.array(z.looseObject({ attributes: z.object({ type: z.string() }) })).max(200),
});
export const Composite = z.object({
  compositeRequest: z
    .array(
      z.object({
        method: z.string(),
        url: z.string(),
        referenceId: z.string(),
        body: z.unknown().optional(),
      }),
    )
    .max(25),
});

/** Salesforce's error response. */
export const errorAnswer = (status: number, errorCode: string, message: string): SandboxAnswer => ({
  status,
  body: [{ message, errorCode }],
});

export const notFound = (): SandboxAnswer =>
  errorAnswer(404, 'NOT_FOUND', 'The requested resource does not exist');
