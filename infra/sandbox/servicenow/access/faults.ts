import type { Fault } from '../../protocol/sandbox.ts';
import type { Hidden } from '../schema/schema.ts';

/** Beside what every CRM can have: a request or an item of a batch that the transaction quota ends, and a batch whose time is over. */
export type ServicenowFault =
  | Fault
  | { readonly kind: 'transaction-cancelled'; readonly object?: string; readonly times?: number }
  /** `serviced`: how many items are done in time; default 1. */
  | { readonly kind: 'batch-timeout'; readonly serviced?: number; readonly times?: number };

interface Running {
  readonly fault: ServicenowFault;
  readonly object: string | undefined;
  left: number;
}

/** The faults in force. */
export class Faults {
  readonly #running = new Set<Running>();

  /** Returns what ends it. */
  start(fault: ServicenowFault): () => void {
    // A login is for every table.
    const object = fault.kind !== 'login-refused' && 'object' in fault ? fault.object : undefined;
    const running = { fault, object, left: fault.times ?? Number.POSITIVE_INFINITY };
    this.#running.add(running);
    return () => this.#running.delete(running);
  }

  clear(): void {
    this.#running.clear();
  }

  /** Whether a fault of this kind concerns a request about these tables; if so it is used once. */
  take(kind: ServicenowFault['kind'], tables: readonly string[] = []): boolean {
    for (const running of this.#running)
      if (running.fault.kind === kind && (running.object === undefined || tables.includes(running.object))) {
        this.#use(running);
        return true;
      }
    return false;
  }

  /** How many items of a batch are done in time. */
  servicedItems(): number {
    for (const running of this.#running)
      if (running.fault.kind === 'batch-timeout') {
        this.#use(running);
        return running.fault.serviced ?? 1;
      }
    return Number.POSITIVE_INFINITY;
  }

  /** The columns that are taken for absent. A request counts if its text names one. */
  hidden(text: string): Hidden[] {
    const words = new Set(text.split(/[^a-z0-9_]+/u));
    return [...this.#running].flatMap((running) => {
      const { fault } = running;
      if (fault.kind !== 'missing-field' || fault.field === undefined) return [];
      if (words.has(fault.field)) this.#use(running);
      return [{ field: fault.field, ...(fault.object !== undefined && { object: fault.object }) }];
    });
  }

  #use(running: Running): void {
    running.left -= 1;
    if (running.left <= 0) this.#running.delete(running);
  }
}
