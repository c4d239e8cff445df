import * as z from 'zod';
import { VirtualClock } from '../../../../core/clock.ts';
import { readSecret } from '../../../../functions/aws/clients/secret.ts';
import type { Runtime } from '../../../../functions/contracts/runtime.ts';
import { environmentOf } from '../../../../infra/local/lambda/in-process.ts';
import type { Cloud } from '../../../../infra/local/runtime/cloud.ts';
import { openInProcessHub } from '../../../../infra/scenario/hub/in-process-hub.ts';
import { openSandboxes, type Sandboxes } from '../../../../infra/scenario/hub/sandboxes.ts';
import { type Assembly, syncedBy } from '../../../../infra/stack/assembly.ts';
import type { TrialObserver } from '../observer.ts';

export const START = Date.parse('2026-03-02T09:00:00Z');
export const HOUR_MS = 3_600_000;
export const publicUrl = 'https://hub.example.com';

export interface Day {
  readonly cloud: Cloud;
  readonly clock: VirtualClock;
  readonly runtime: Runtime;
  readonly hub: string;
  readonly crms: Sandboxes;
  /** The environment of the function whose name matches, with its access key. */
  readonly runtimeOf: (bundle: RegExp) => Runtime;
}

/** Throws with the message where a result is wrong. */
export const assertThat = (holds: boolean, message: string): void => {
  if (!holds) throw new Error(message);
};

/** Deploys the template and connects the sandbox CRMs. */
export const openDay = async (assembly: Assembly, { onDecision, onClock }: TrialObserver): Promise<Day> => {
  const clock = new VirtualClock(START);
  onClock(clock);
  const {
    cloud,
    runtime,
    name: hub,
    errors,
  } = await openInProcessHub({
    ...{ assembly, clock, publicUrl, onDecision },
    // Only the sandbox CRMs answer.
    fetch: async (input, init) => {
      const { hostname } = new URL(input instanceof Request ? input.url : input);
      if (hostname === '127.0.0.1') return fetch(input, init);
      throw new Error(`Nothing answers at ${hostname} in this trial.`);
    },
  });
  const [error] = errors;
  if (error !== undefined) throw error;
  const servicenow = syncedBy(assembly).includes('servicenow');
  const crms = await openSandboxes(undefined, { now: () => clock.now(), servicenow });
  await crms.connect(runtime, hub);
  return {
    cloud,
    clock,
    runtime,
    hub,
    crms,
    runtimeOf(name) {
      const target = [...cloud.functions.values()].find((one) => name.test(one.name));
      if (target === undefined) throw new Error(`The template has no function ${name.source}.`);
      return { ...runtime, env: { ...target.environment, ...environmentOf(target, assembly) } };
    },
  };
};

export type Call = (method: string, target: string, body?: object | string) => Promise<unknown>;

export const Keys = z.object({ keys: z.string() });

export const Items = z.looseObject({ items: z.array(z.looseObject({ id: z.string() })) });

/** Calls the API with the key that the stack has created. */
export const apiClient = ({ cloud, clock, runtime, hub }: Day): Call => {
  const secret = readSecret(runtime);
  return async (method, target, body) => {
    const key = Keys.parse(await secret(`${hub}/api`)).keys;
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const bytes = Buffer.from(
      typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body),
    );
    const answer = await cloud.front({ method, target, headers, body: bytes });
    assertThat(answer.status < 400, `${method} ${target} answered ${answer.status}`);
    await clock.runUntil(clock.now());
    const { location } = answer.headers;
    if (location !== undefined) {
      const file = await runtime.aws?.fetch(new Request(location));
      assertThat(file?.ok === true, `the file behind ${target} cannot be read`);
    }
    const text = Buffer.from(answer.body).toString();
    return text.startsWith('{') ? JSON.parse(text) : text;
  };
};
