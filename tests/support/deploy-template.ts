import { VirtualClock } from '../../core/clock.ts';
import type { Run } from '../../infra/local/lambda/invocations.ts';
import {
  type InProcessHub,
  type InProcessHubOptions,
  openInProcessHub,
} from '../../infra/scenario/hub/in-process-hub.ts';
import { type Assembly, assembly } from '../../infra/stack/assembly.ts';

export interface DeployOptions extends Pick<InProcessHubOptions, 'externalEndpoints'> {
  /** Changes the template before it is deployed. */
  readonly change?: (template: Assembly['template']) => void;
  /** Runs in place of every function. */
  readonly invoke?: Run;
}

/** Deploys the template of `mappings/` with functions that do nothing, for tests of the local services. */
export const deployTemplate = async ({
  change = () => {},
  invoke = async () => ({ batchItemFailures: [] }),
  ...options
}: DeployOptions = {}): Promise<InProcessHub> => {
  const synthesised = await assembly();
  const template = structuredClone(synthesised.template);
  change(template);
  return openInProcessHub({
    assembly: { ...synthesised, template },
    clock: new VirtualClock(Date.parse('2026-03-02T09:00:00Z')),
    runCustomResources: false,
    functions: () => invoke,
    ...options,
  });
};
