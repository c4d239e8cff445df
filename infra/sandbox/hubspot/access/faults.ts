import type { Fault } from '../../protocol/sandbox.ts';
import { objectType } from '../account/object-types.ts';

/** Beside what every CRM can have: the account is being moved to another data centre, and answers 477 until it is. */
export type HubspotFault = Fault | { readonly kind: 'migration'; readonly times?: number };

/** Credentials are refused as a whole, whatever object a request is about. */
const ofAccount: ReadonlySet<HubspotFault['kind']> = new Set(['login-refused', 'expired-session']);

interface Running {
  readonly kind: HubspotFault['kind'];
  readonly object?: string;
  readonly field?: string;
  left: number;
}

/** The faults in force. */
export class Faults {
  readonly #running = new Set<Running>();

  /** Returns what ends it. */
  start(fault: HubspotFault): () => void {
    const { object, field } = { object: undefined, field: undefined, ...fault };
    const running: Running = {
      kind: fault.kind,
      ...(object !== undefined && !ofAccount.has(fault.kind) && { object: objectType(object).name }),
      ...(field !== undefined && { field }),
      left: fault.times ?? Number.POSITIVE_INFINITY,
    };
    this.#running.add(running);
    return () => this.#running.delete(running);
  }

  clear(): void {
    this.#running.clear();
  }

  /** Whether a request meets such a fault, which counts as one of its times. `objects` are those in its path. */
  meets(kind: HubspotFault['kind'], objects: readonly string[] = []): boolean {
    for (const running of this.#running)
      if (running.kind === kind && (running.object === undefined || objects.includes(running.object))) {
        this.#use(running);
        return true;
      }
    return false;
  }

  /** The fields that are taken for absent in a request about these objects, by object. */
  missingFields(objects: readonly string[]): Map<string, ReadonlySet<string>> {
    const missing = new Map<string, Set<string>>();
    for (const running of this.#running) {
      if (running.kind !== 'missing-field' || running.field === undefined) continue;
      for (const object of objects) {
        if (running.object !== undefined && running.object !== object) continue;
        missing.set(object, (missing.get(object) ?? new Set()).add(running.field));
        this.#use(running);
      }
    }
    return missing;
  }

  #use(running: Running): void {
    running.left -= 1;
    if (running.left <= 0) this.#running.delete(running);
  }
}
