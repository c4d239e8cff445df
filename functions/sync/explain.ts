import { checkMapping, describedObjects } from '../../core/crm/check/check.ts';
import type { MappingFinding, Place } from '../../core/crm/check/part.ts';
import type { Call } from '../../core/crm/connector.ts';
import { CrmFault } from '../../core/crm/fault.ts';
import type { CompiledMapping } from '../../core/crm/mapping/mapping.ts';
import { HubError } from '../../core/errors.ts';
import type { CrmClient } from './connection/crm-client.ts';

export interface ExplainPorts {
  readonly connector: Place['connector'];
  readonly client: Pick<CrmClient, 'openAnew'>;
  readonly mapping: () => Promise<CompiledMapping>;
  readonly callWith: (signal: AbortSignal) => Call;
}

/** The fault for which an object is parked, with all that the check of its mapping finds. */
export type Explain = (object: string, fault: CrmFault, signal: AbortSignal) => Promise<CrmFault>;

/**
 * Checks the mapping of an object that the CRM refuses, so that a person reads all that is wrong at once and not one field
 * after the other. The fault stays as it is where the CRM does not describe the object now.
 */
export const explain =
  ({ connector, client, mapping, callWith }: ExplainPorts): Explain =>
  async (object, fault, signal) => {
    if (fault.why !== 'setup') return fault;
    try {
      const { source } = await mapping();
      // A session remembers descriptions, and this one is refused for something that has changed.
      const { session } = await client.openAnew(signal);
      const described = await session.describe(describedObjects(source), callWith(signal));
      const findings = checkMapping(connector, source, described).filter((one) => one.object === object);
      return findings.length === 0 ? fault : withFindings(fault, connector.id, findings);
    } catch (error) {
      if (error instanceof HubError) return fault;
      throw error;
    }
  };

const MOST_FINDINGS = 20;

const withFindings = (fault: CrmFault, crm: string, findings: readonly MappingFinding[]): CrmFault => {
  const sorted = findings.toSorted((one, other) => Number(one.ok) - Number(other.ok));
  const lines = sorted
    .slice(0, MOST_FINDINGS)
    .map(({ path, says, advice }) => `- ${path.join('.')}: ${says} ${advice}`);
  const more = sorted.length - lines.length;
  const { code, scope, why, records, object, field, cause } = fault;
  return new CrmFault(
    code,
    [
      fault.message,
      `The check of mappings/crm/${crm}.yaml found:`,
      ...lines,
      ...(more > 0 ? [`- and ${more} more: hub mapping check ${crm}`] : []),
    ].join('\n'),
    { scope, why, records, object, field, cause },
  );
};
