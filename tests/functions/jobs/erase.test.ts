import { expect, it } from 'vitest';
import { eraseJob } from '../../../functions/jobs/erase/erase.ts';
import type { EraseJobPorts } from '../../../functions/jobs/erase/step.ts';
import { eraseSteps } from '../../../functions/jobs/erase/steps.ts';

const calls: string[] = [];
const ports = {
  crms: () => ['hubspot'],
  erasures: {
    partNames: async () => [],
    outcomes: async () => new Map([['hubspot#contacts', { count: 1, left: [] }]]),
    person: async () => undefined,
    get: async () => ({ receipt: {} }),
    removePerson: async () => {
      calls.push('removePerson');
    },
  },
  eraseInCrm: async () => {
    calls.push('eraseInCrm');
  },
  emptyArchive: async () => {
    calls.push('emptyArchive');
  },
  now: () => 0,
} as unknown as EraseJobPorts;

const slice = (step: string) =>
  eraseJob(ports).slice({
    ...{ job: 'j', by: 'ada', startedAt: '2026-03-02T09:00:00.000Z' },
    parameters: { erasure: 'e1', profileId: 'p1' },
    checkpoint: { step, after: '', systems: {} },
    timeLeft: () => true,
  });

it('continues at the step that its checkpoint names', async () => {
  const { checkpoint, finished, done } = await slice('crm-outcomes');
  expect(calls).toEqual(['emptyArchive', 'removePerson']);
  expect({ finished, done }).toEqual({ finished: true, done: 4 });
  expect(checkpoint).toMatchObject({ step: 'finished', systems: { hubspot: { count: 1 } } });
});

it('fails on a step that this release does not have, and says what to do', async () => {
  await expect(slice('raw-calls')).rejects.toMatchObject({
    ...{ code: 'unknown-step', retry: 'never' },
    message: expect.stringContaining('POST /erasures/e1/resume'),
  });
});

it('has the step names that checkpoints of earlier releases hold', () => {
  // A step may be added. One that is renamed or removed fails the erasures that stopped before it.
  expect([...eraseSteps(ports).keys()]).toEqual([
    ...['rows', 'quiet-period', 'late-rows', 'files', 'failures', 'raw-deliveries', 'raw-mail', 'raw-jobs'],
    ...['crm-requests', 'crm-outcomes', 'push-endpoints', 'archive', 'receipt'],
  ]);
});
