import * as z from 'zod';
import { JobMessage, PlanMessage } from '../messages/jobs.ts';
import { stage } from './stage.ts';

export const jobsStage = stage('jobs', {
  title: 'Slices of long jobs',
  schema: z.union([JobMessage, PlanMessage], { error: 'expected job and slice, or plan' }),
  identity: (message) => ('job' in message ? [message.job, message.slice] : [message.plan]),
  about: (message) => ('job' in message ? { job: message.job } : { plan: message.plan }),
  type: (message) => ('job' in message ? 'slice' : 'plan'),
  ids: (message) => ('job' in message ? { slice: message.slice } : {}),
});
