import { z } from 'zod';
import type { Fields, Staff } from '../protocol/sandbox.ts';
import { faultKinds } from '../protocol/sandbox.ts';
import type { SandboxAnswer, SandboxRequest } from '../protocol/server.ts';
import { actAsStaff, StaffActs } from '../protocol/staff.ts';
import type { HubspotFault } from './access/faults.ts';
import { json } from './routes/call.ts';
import { reasonOf } from './staff.ts';

const faultBody = z.strictObject({
  kind: z.enum([...faultKinds, 'migration']),
  object: z.string().optional(),
  field: z.string().optional(),
  times: z.int().positive().optional(),
});
const recordBody = z.strictObject({ object: z.string(), fields: z.record(z.string(), z.unknown()) });

export interface Controls {
  fault(fault: HubspotFault): void;
  clearFaults(): void;
  seed(object: string, fields: Fields): string;
  readonly staff: Staff;
}

/** What people at a sandbox do over HTTP: faults, records, and the work of staff. Undefined for calls of the CRM itself. */
export const control = (
  controls: Controls,
  { method, path, body }: SandboxRequest,
): SandboxAnswer | undefined => {
  if (!path.startsWith('/sandbox/')) return undefined;
  try {
    switch (`${method} ${path}`) {
      case 'POST /sandbox/fault': {
        const { kind, object, field, times } = faultBody.parse(JSON.parse(body));
        const count = times === undefined ? {} : { times };
        controls.fault(
          kind === 'migration'
            ? { kind, ...count }
            : { kind, ...count, ...(object && { object }), ...(field && { field }) },
        );
        return json(201, { kind });
      }
      case 'DELETE /sandbox/faults':
        controls.clearFaults();
        return { status: 204, body: undefined };
      case 'POST /sandbox/records': {
        const { object, fields } = recordBody.parse(JSON.parse(body));
        return json(201, { id: controls.seed(object, fields) });
      }
      case 'POST /sandbox/staff':
        actAsStaff(controls.staff, StaffActs.parse(JSON.parse(body)));
        return { status: 204, body: undefined };
      default:
        return json(404, {
          message:
            'The sandbox has POST /sandbox/fault, DELETE /sandbox/faults, POST /sandbox/records and POST /sandbox/staff',
        });
    }
  } catch (error) {
    return json(400, { message: reasonOf(error) });
  }
};
