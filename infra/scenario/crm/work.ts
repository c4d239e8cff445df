import { hmac } from '../../../core/webhooks/signature.ts';
import { table } from '../../../functions/aws/clients/dynamo.ts';
import { connectionKey } from '../../../functions/contracts/keys.ts';
import { connectionOf } from '../../../functions/contracts/rows/connections.ts';
import { actAsStaff } from '../../sandbox/protocol/staff.ts';
import { type InProcessHub, queueArn } from '../hub/in-process-hub.ts';
import type { CrmReport, Sandboxes } from '../hub/sandboxes.ts';
import { HUBSPOT_CLIENT_SECRET } from '../hub/sandboxes.ts';
import { Case } from '../webhook-case/case.ts';
import { receiveMessage } from '../webhook-case/receive-case.ts';
import type { CrmSeeds, CrmStep } from './schema.ts';

/** How long a CRM takes to report a change. */
const REPORT_MS = 1000;
/** How often a CRM is asked that reports nothing, and by how much the hub reads less than everything. */
const ASKED_EVERY_MS = 300_000;
const UNSETTLED_MS = 10_000;
/** A fault without an end lasts as long as a scenario may run. */
const LONGEST_FAULT_MS = 60 * 86_400_000;

/** Puts the records there that a scenario begins with. */
export const seedCrms = (crms: Sandboxes, seeds: CrmSeeds): void => {
  for (const [crm, objects] of Object.entries(seeds))
    for (const [object, records] of Object.entries(objects))
      for (const fields of records) sandboxOf(crms, crm).seed(object, fields);
};

/** Does what a step says in the CRM. Throws where no record, or more than one, is as described. */
export const workInCrm = (
  { crms, clock }: InProcessHub & { readonly crms: Sandboxes },
  step: CrmStep,
): void => {
  for (const [crm, { fault, ...acts }] of Object.entries(step)) {
    const { staff, fault: start } = sandboxOf(crms, crm);
    actAsStaff(staff, acts);
    if (fault === undefined) continue;
    const { for: duration = LONGEST_FAULT_MS, kind, object, field } = fault;
    const end = start({
      kind,
      ...(object !== undefined && { object }),
      ...(field !== undefined && { field }),
    });
    clock.at(clock.now() + duration, end);
  }
};

const sandboxOf = (crms: Sandboxes, crm: string) => {
  const sandbox = crms.byName[crm];
  if (sandbox) return sandbox;
  throw new Error(`There is no sandbox of ${crm}; there are ${crms.names.join(', ')}.`);
};

/**
 * Brings the hub what a CRM reports, a second later, as its webhook or its event relay does. One that reports nothing is asked
 * at the next regular time.
 */
export const bringReport = (hub: InProcessHub, report: CrmReport): void => {
  const { cloud, clock } = hub;
  if (report.crm === 'servicenow') {
    askAfter(hub, report.crm, clock.now() + UNSETTLED_MS);
    return;
  }
  clock.at(clock.now() + REPORT_MS, async () => {
    const message = await messageOf(report, clock.now());
    if (message) cloud.send(queueArn(cloud, /^DeliveriesQueue/u), JSON.stringify(message));
  });
};

/** When the CRMs of a hub will be asked. */
const planned = new WeakMap<object, Set<number>>();

/** Asks a CRM for changes at the first regular time after an instant, and again until it works. */
const askAfter = (hub: InProcessHub, crm: string, instant: number): void => {
  const { cloud, clock, runtime } = hub;
  const times = planned.get(clock) ?? new Set();
  planned.set(clock, times);
  const at = (Math.floor(instant / ASKED_EVERY_MS) + 1) * ASKED_EVERY_MS;
  if (times.has(at)) return;
  times.add(at);
  const queue = new RegExp(`^${crm}ProbesQueue`, 'iu');
  clock.at(at, () => cloud.send(queueArn(cloud, queue), JSON.stringify({ poll: true })));
  clock.at(at + ASKED_EVERY_MS - 1, async () => {
    const [row] = await table(runtime).get([connectionKey(crm)]);
    if (row !== undefined && connectionOf(row).status !== 'working') askAfter(hub, crm, clock.now());
  });
};

const messageOf = async (
  report: Exclude<CrmReport, { crm: 'servicenow' }>,
  now: number,
): Promise<object | undefined> => {
  if (report.crm === 'hubspot') return hubspotMessage(report.webhook, now);
  const { event } = report;
  const id = hmac('sha256', 'event', 'hex', JSON.stringify(event)).slice(0, 32);
  return {
    ...{ type: 'event', provider: 'salesforce' },
    event: {
      version: '0',
      id,
      source: 'aws.partner/salesforce.com',
      time: new Date(now).toISOString(),
      ...event,
    },
  };
};

/** The request is verified as the deployed hub does it. Throws where it is refused. */
const hubspotMessage = async (
  { method, url, headers, body }: Extract<CrmReport, { crm: 'hubspot' }>['webhook'],
  now: number,
): Promise<object | undefined> => {
  const message = await receiveMessage(
    Case.parse({
      ...{ provider: 'hubspot', case: 'sandbox', method, url, headers, rawBody: body },
      verification: { url, now: now / 1000, secret: HUBSPOT_CLIENT_SECRET },
      expected: { accept: true },
    }),
    now,
  );
  if (message === undefined) throw new Error('A webhook of the HubSpot sandbox was refused.');
  return message;
};
