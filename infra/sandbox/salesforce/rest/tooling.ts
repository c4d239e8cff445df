import type { SandboxAnswer } from '../../protocol/server.ts';
import { notInSandbox, SaveError } from '../data/errors.ts';
import { type Call, recordBody } from './call.ts';

/** `/tooling/sobjects/CustomField`: an administrator adds a field. */
export const tooling = (call: Call): SandboxAnswer => {
  const [, kind, name, ...rest] = call.path;
  if (call.method !== 'POST' || kind !== 'sobjects' || name !== 'CustomField' || rest.length > 0)
    throw notInSandbox(`${call.method} ${call.base}/${call.path.join('/')}`);
  return {
    status: 201,
    body: {
      id: added(() => call.org.schema.addField(recordBody(call))),
      success: true,
      errors: [],
      warnings: [],
      infos: [],
    },
  };
};

const added = (work: () => string): string => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isTaken = error.message.startsWith('There is already');
    throw new SaveError(isTaken ? 'DUPLICATE_DEVELOPER_NAME' : 'FIELD_INTEGRITY_EXCEPTION', error.message);
  }
};
