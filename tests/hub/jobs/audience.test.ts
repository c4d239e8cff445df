import { expect, it } from 'vitest';
import * as z from 'zod';
import { zoneParts } from '../../../core/timeline/lists.ts';
import { runSteps } from '../../../infra/scenario/run.ts';
import { Scenario } from '../../../infra/scenario/schema.ts';
import { openTestHub } from '../../support/open-test-hub.ts';

const vips = {
  ...{ id: 'vips', category: 'service', each: { day: '10:00' }, where: [{ customer: { tags: ['vip'] } }] },
  send: { channels: ['sms'], template: 't' },
};
