import { knownCustomer } from '../../../../cli/local/samples.ts';
import type { Assembly } from '../../../../infra/stack/assembly.ts';
import type { TrialObserver } from '../observer.ts';
import { exportAndErase } from './erasure.ts';
import { replayFailures, sendUnreadableMessages } from './failures.ts';
import { apiClient, assertThat, type Call, type Day, HOUR_MS, openDay } from './hub.ts';
import { deleteQueues, raiseAlarm, tryWithoutTls, useIdleAdapters } from './infrastructure.ts';
import { importCustomers, receiveWebhooks, registerDevice, useApi } from './requests.ts';

/** An agent changes a contact in ServiceNow, if there is one, and the hub asks for it. */
const workInServicenow = async ({ clock, crms: { servicenow } }: Day, call: Call): Promise<void> => {
  if (servicenow === undefined) return;
  servicenow.staff.update('customer_contact', { phone: knownCustomer.phone }, { title: 'Buyer' });
  await clock.runUntil(clock.now() + HOUR_MS);
  const customer = JSON.stringify(
    await call('GET', `/customers?identifier=${encodeURIComponent(`phone:${knownCustomer.phone}`)}`),
  );
  assertThat(customer.includes('Buyer'), 'what the agent wrote in ServiceNow has not come back');
};

/**
 * Runs a hub from its first deployment to its deletion and does what stories do not reach: the front door, the bucket,
 * deployments, deleted queues, requests without TLS. Throws where a result is wrong.
 */
export const runFullDay = async (assembly: Assembly, observer: TrialObserver): Promise<void> => {
  const day = await openDay(assembly, observer);
  try {
    await registerDevice(day);
    await receiveWebhooks(day);
    const call = apiClient(day);
    await useApi(day, call);
    await importCustomers(day, call);
    await day.clock.runUntil(day.clock.now() + 8 * HOUR_MS);
    await workInServicenow(day, call);
    await sendUnreadableMessages(day);
    await replayFailures(day, call);
    await exportAndErase(day, call);
    await useIdleAdapters(day);
    await day.cloud.runCustomResources('Update');
    await tryWithoutTls(day);
    await raiseAlarm(day);
    await deleteQueues(day);
    await day.cloud.runCustomResources('Delete');
  } finally {
    await day.cloud.stop();
    await day.crms.stop();
  }
};
