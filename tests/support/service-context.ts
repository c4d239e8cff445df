import { DatabaseSync } from 'node:sqlite';
import { VirtualClock } from '../../core/clock.ts';
import type { AwsService, ServiceContext } from '../../infra/local/protocol/service.ts';
import { inProcess } from '../../infra/local/runtime/client.ts';
import { eventPatterns } from '../../infra/scenario/hub/event-patterns.ts';

/** A region of its own in memory, with a clock that stands at the first of March 2026. */
export const serviceContext = (
  overrides: Partial<ServiceContext> = {},
): ServiceContext & { readonly clock: VirtualClock } => {
  let ids = 0;
  const clock = new VirtualClock(Date.parse('2026-03-01T09:00:00Z'));
  return {
    db: new DatabaseSync(':memory:'),
    random: () => 0.5,
    newId: () => `00000000-0000-4000-8000-${String(ids++).padStart(12, '0')}`,
    region: 'eu-south-1',
    account: '123456789012',
    deliver: async () => {},
    patterns: eventPatterns,
    ...overrides,
    clock,
  };
};

/** Configuration of an SDK client that talks to one service without a socket. */
export const clientOf = (service: AwsService) => ({
  region: 'eu-south-1',
  credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' },
  maxAttempts: 1,
  requestHandler: inProcess((request) =>
    service.handle(request, { accessKeyId: 'AKIATEST', arn: 'arn:aws:iam::123456789012:role/test' }),
  ).requestHandler,
});
