// Switches of the sandbox itself, for people and scripts on this machine. ServiceNow has no such paths.
import * as z from 'zod';
import { type Fields, faultKinds, type Staff } from '../protocol/sandbox.ts';
import type { SandboxAnswer, SandboxRequest } from '../protocol/server.ts';
import { actAsStaff, StaffActs } from '../protocol/staff.ts';
import type { ServicenowFault } from './access/faults.ts';
import { answerOf } from './rest/call.ts';

const times = z.int().positive().exactOptional();
const object = z.string().exactOptional();
const FaultBody = z.union([
  z.strictObject({ kind: z.enum(faultKinds), object, field: z.string().exactOptional(), times }),
  z.strictObject({ kind: z.literal('transaction-cancelled'), object, times }),
  z.strictObject({
    kind: z.literal('batch-timeout'),
    serviced: z.int().nonnegative().exactOptional(),
    times,
  }),
]);
const RecordBody = z.strictObject({ object: z.string(), fields: z.record(z.string(), z.unknown()) });

export interface Controls {
  fault(fault: ServicenowFault): void;
  clearFaults(): void;
  seed(object: string, fields: Fields): string;
  readonly staff: Staff;
}

const switches: Readonly<Record<string, (controls: Controls, body: unknown) => SandboxAnswer>> = {
  'POST /sandbox/fault': ({ fault }, body) => {
    const wanted = FaultBody.parse(body);
    fault(wanted);
    return answerOf(201, { kind: wanted.kind });
  },
  'DELETE /sandbox/faults': ({ clearFaults }) => {
    clearFaults();
    return answerOf(204, undefined);
  },
  'POST /sandbox/records': ({ seed }, body) => {
    const { object, fields } = RecordBody.parse(body);
    return answerOf(201, { id: seed(object, fields) });
  },
  'POST /sandbox/staff': ({ staff }, body) => {
    actAsStaff(staff, StaffActs.parse(body));
    return answerOf(204, undefined);
  },
};

/** The answer to a request below `/sandbox`. */
export const controlled = (controls: Controls, { method, path, body }: SandboxRequest): SandboxAnswer => {
  const run = switches[`${method} ${path}`];
  if (run === undefined)
    return answerOf(404, { message: `The sandbox has ${Object.keys(switches).join(', ')}` });
  try {
    return run(controls, body === '' ? undefined : JSON.parse(body));
  } catch (error) {
    if (error instanceof z.ZodError) return answerOf(400, { message: z.prettifyError(error) });
    if (error instanceof Error) return answerOf(400, { message: error.message });
    throw error;
  }
};
