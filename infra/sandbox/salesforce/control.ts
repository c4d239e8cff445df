// Switches of the sandbox itself, for people and scripts on this machine. Salesforce has no such paths.
import * as z from 'zod';
import { type Fault, faultKinds, type Staff } from '../protocol/sandbox.ts';
import type { SandboxAnswer, SandboxRequest } from '../protocol/server.ts';
import { actAsStaff, StaffActs } from '../protocol/staff.ts';
import { DuplicateRule } from './data/duplicate-rule.ts';
import type { Org } from './data/org.ts';

const FaultBody = z.strictObject({
  kind: z.enum(faultKinds),
  object: z.string().optional(),
  field: z.string().optional(),
  times: z.number().int().positive().optional(),
});
const RecordBody = z.strictObject({ object: z.string(), fields: z.record(z.string(), z.unknown()) });

export interface Controls {
  readonly org: Org;
  fault(fault: Fault): void;
  endFaults(): void;
  seed(object: string, fields: Readonly<Record<string, unknown>>): string;
  readonly staff: Staff;
}

const NOTHING: SandboxAnswer = { status: 204, body: undefined };

const made = (id: string): SandboxAnswer => ({ status: 201, body: { id } });

const withoutUndefined = ({ kind, object, field, times }: z.output<typeof FaultBody>): Fault => ({
  kind,
  ...(object !== undefined && { object }),
  ...(field !== undefined && { field }),
  ...(times !== undefined && { times }),
});

const switches: Readonly<Record<string, (controls: Controls, body: unknown) => SandboxAnswer>> = {
  'POST /sandbox/fault': ({ fault }, body) => {
    fault(withoutUndefined(FaultBody.parse(body)));
    return NOTHING;
  },
  'DELETE /sandbox/faults': ({ endFaults }) => {
    endFaults();
    return NOTHING;
  },
  'POST /sandbox/records': ({ seed }, body) => {
    const { object, fields } = RecordBody.parse(body);
    return made(seed(object, fields));
  },
  'POST /sandbox/staff': ({ staff }, body) => {
    actAsStaff(staff, StaffActs.parse(body));
    return NOTHING;
  },
  'POST /sandbox/objects': ({ org }, body) => made(org.schema.addObject(body)),
  'PUT /sandbox/duplicate-rules': ({ org }, body) => {
    org.duplicateRules = z.array(DuplicateRule).parse(body);
    return NOTHING;
  },
};

/** The answer to a request below `/sandbox`. */
export const controlled = (controls: Controls, { method, path, body }: SandboxRequest): SandboxAnswer => {
  const run = switches[`${method} ${path}`];
  if (run === undefined)
    return { status: 404, body: { message: `The sandbox has ${Object.keys(switches).join(', ')}` } };
  try {
    return run(controls, body === '' ? undefined : JSON.parse(body));
  } catch (error) {
    if (error instanceof z.ZodError) return { status: 400, body: { message: z.prettifyError(error) } };
    if (error instanceof Error) return { status: 400, body: { message: error.message } };
    throw error;
  }
};
