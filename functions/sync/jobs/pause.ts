import { CrmFault } from '../../../core/crm/fault.ts';
import { HubError } from '../../../core/errors.ts';
import type { CrmConnection } from '../connection/connection.ts';

/** The seconds after which a job goes on; undefined where an error is none of the CRM's pauses. */
export type PauseAfter = (error: unknown) => Promise<number | undefined>;

interface PausePorts {
  readonly connection: Pick<CrmConnection, 'read' | 'failed' | 'objectFailed'>;
  readonly client: { close(): void };
  /** Epoch milliseconds. */
  readonly now: () => number;
}

const UNTIL_PROBED_SECONDS = 60;
const UNTIL_CORRECTED_SECONDS = 600;
/** The longest delay of a queue. */
const LONGEST_SECONDS = 900;

/** A job waits for the CRM like live traffic does: it uses up none of its tries, and a fault is everybody's. */
export const pauseAfter =
  ({ connection, client }: PausePorts): PauseAfter =>
  async (error) => {
    if (!(error instanceof HubError)) return undefined;
    if (error instanceof CrmFault && error.scope === 'connection') {
      client.close();
      await connection.failed(error);
    }
    if (error instanceof CrmFault && error.scope === 'object') {
      if (error.object !== undefined && error.code !== 'parked-object')
        await connection.objectFailed(error.object, error);
      return UNTIL_CORRECTED_SECONDS;
    }
    if (typeof error.retry === 'object') return Math.min(LONGEST_SECONDS, error.retry.afterSeconds);
    return error instanceof CrmFault && error.scope === 'connection' ? UNTIL_PROBED_SECONDS : undefined;
  };

/** The seconds until a CRM that is stopped may be asked again, or an object of it that is parked; undefined where it works. */
export const secondsUntilOpen = async (
  { connection, now }: Pick<PausePorts, 'connection' | 'now'>,
  object: string,
): Promise<number | undefined> => {
  const { stop, parked } = await connection.read();
  if (stop !== undefined) {
    const seconds = Math.ceil((Date.parse(stop.nextProbeAt) - now()) / 1000);
    return Math.min(LONGEST_SECONDS, Math.max(UNTIL_PROBED_SECONDS, seconds));
  }
  return parked[object] === undefined ? undefined : UNTIL_CORRECTED_SECONDS;
};
