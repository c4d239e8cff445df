import type { Connection, Stop } from '../../../core/crm/connection.ts';
import type { CrmConnector } from '../../../core/crm/connector.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import type { Table } from '../../aws/clients/dynamo.ts';
import { closeFailure, saveFailure } from '../../aws/operations/failure-rows.ts';
import { connectionChanged } from '../../contracts/events/build.ts';
import type { BusEvent } from '../../contracts/events/catalogue.ts';
import { log } from '../../contracts/log.ts';
import type { ProbeMessage } from '../../contracts/messages/sync.ts';
import type { Runtime } from '../../contracts/runtime.ts';
import { connectionStage } from '../../contracts/stages/sync.ts';

/** How people learn that a CRM, or an object of it, stopped or works again. Repeated, each is said once. */
export interface Announcements {
  /** Stores one failure, publishes `connection.changed` and sends an alarm. */
  stopped(connection: Connection, stop: Stop, object: string | undefined): Promise<void>;
  /** A probe that a person asked for has failed: the failure is open again. `message`: the id of the probe's message. */
  failedAgain(stop: Stop, object: string | undefined, message: string): Promise<void>;
  /** Closes the failure and publishes `connection.changed`, if the stop was announced. */
  ended(connection: Connection, stop: Stop, object: string | undefined): Promise<void>;
}

export interface AnnouncementPorts {
  readonly crm: Pick<CrmConnector, 'id' | 'title'>;
  readonly runtime: Runtime;
  readonly table: Table;
  readonly publish: (event: BusEvent) => Promise<void>;
  /** Sends an e-mail to the address of the alarms. */
  readonly alarm: (subject: string, text: string) => Promise<void>;
}

/** Who closes a failure whose cause is gone. */
const HUB = 'the hub';

export const announcements = ({ crm, runtime, table, publish, alarm }: AnnouncementPorts): Announcements => {
  const stage = connectionStage(crm.id, crm.title);
  const save = saveFailure(runtime, table);
  const close = closeFailure(runtime, table);
  const saved = (stop: Stop, object: string | undefined, occurrence: string): Promise<void> =>
    save(stage, {
      origin: 'refused',
      code: object === undefined ? 'stopped-connection' : 'parked-object',
      reason: reasonOf(crm.title, stop, object),
      payload: payloadOf(object),
      occurrence,
      tries: stop.probes + 1,
    });
  return {
    async stopped(connection, stop, object) {
      await saved(stop, object, stop.since);
      const about = { object, isOver: false };
      await publish(connectionChanged(crm.id, connection, stop, about, instant(runtime.now())));
      await alarm(
        object === undefined ? `${crm.title} stopped` : `${crm.title}: ${object} is parked`,
        `${reasonOf(crm.title, stop, object)}\n\nSince ${stop.since}. \`hub connections\` shows whether it works again.`,
      );
      log('error', object === undefined ? 'stopped-connection' : 'parked-object', {
        ...{ crm: crm.id, object, cause: stop.code, since: stop.since },
      });
    },
    failedAgain: (stop, object, message) => saved(stop, object, message),
    async ended(connection, stop, object) {
      const isClosed = await close(stage, payloadOf(object), HUB);
      if (!isClosed && !stop.announced) return;
      const about = { object, isOver: true };
      await publish(connectionChanged(crm.id, connection, stop, about, instant(runtime.now())));
      log('info', 'working-connection', { crm: crm.id, object, since: stop.since, probes: stop.probes });
    },
  };
};

/** The failure's payload is a probe, so that its replay finds out at once whether the CRM works again. */
const payloadOf = (object: string | undefined): string => {
  const message: ProbeMessage = { probe: true, ...(object !== undefined && { object }) };
  return JSON.stringify(message);
};

const reasonOf = (title: string, { code, reason }: Stop, object: string | undefined): string => {
  const what =
    object === undefined
      ? `${title} is paused, and everything for it waits`
      : `${object} of ${title} is parked, and what is written to it waits`;
  return `${what} (${code}): ${reason}`;
};
