import { hmac } from '../../../core/webhooks/signature.ts';
import { type InProcessHub, queueArn } from '../hub/in-process-hub.ts';
import type { CrmReport, Sandboxes } from '../hub/sandboxes.ts';
import { HUBSPOT_CLIENT_SECRET } from '../hub/sandboxes.ts';
import { Case } from '../webhook-case/case.ts';
import { receiveMessage } from '../webhook-case/receive-case.ts';
import type { CrmSeeds, CrmStep } from './schema.ts';

/** How long a CRM takes to report a change. */
const REPORT_MS = 1000;
/** How long it takes at most until the hub has asked a CRM that reports nothing, and leaves nothing to the next time. */
const ASKED_MS = 330_000;
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
    for (const [object, fields] of Object.entries(acts.create ?? {})) staff.create(object, fields);
    for (const [object, { where, set }] of Object.entries(acts.update ?? {}))
      staff.update(object, where, set);
    for (const [object, { where }] of Object.entries(acts.delete ?? {})) staff.delete(object, where);
    for (const [object, { keep, other }] of Object.entries(acts.merge ?? {}))
      staff.merge(object, keep, other);
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

/** Brings the hub what a CRM reports, a second later, as its webhook or its event relay does. */
export const bringReport = (
  { cloud, clock }: Pick<InProcessHub, 'cloud' | 'clock'>,
  report: CrmReport,
): void => {
  if (report.crm === 'servicenow') {
    clock.at(clock.now() + ASKED_MS, () => undefined);
    return;
  }
  clock.at(clock.now() + REPORT_MS, async () => {
    const message = await messageOf(report, clock.now());
    if (message) cloud.send(queueArn(cloud, /^DeliveriesQueue/u), JSON.stringify(message));
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
