import { ServiceError } from '../protocol/json.ts';
import type { ServiceContext } from '../protocol/service.ts';

/** The recipients that an account may send to in 24 hours and in a second. */
export interface SendingQuota {
  readonly day: number;
  readonly second: number;
}

export interface QuotaUse {
  /** Recipients in the last 24 hours. */
  sentToday(): number;
  /**
   * Counts the recipients of a mail. @throws ServiceError `Throttling`: SES forgives short bursts above the rate, and this
   * does not (https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html).
   */
  use(recipients: number): void;
}

const SECOND_MS = 1000;
const DAY_MS = 86_400_000;

export const quotaUse = (
  { db, clock }: Pick<ServiceContext, 'db' | 'clock'>,
  quota: SendingQuota,
): QuotaUse => {
  db.exec('CREATE TABLE IF NOT EXISTS ses_sent (at INTEGER PRIMARY KEY, recipients INTEGER NOT NULL) STRICT');
  const sum = db.prepare('SELECT SUM(recipients) AS sum FROM ses_sent WHERE at > ?');
  const add = db.prepare(
    'INSERT INTO ses_sent VALUES (?, ?) ON CONFLICT DO UPDATE SET recipients = recipients + excluded.recipients',
  );
  const forget = db.prepare('DELETE FROM ses_sent WHERE at <= ?');
  const sentIn = (milliseconds: number): number => Number(sum.get(clock.now() - milliseconds)?.['sum'] ?? 0);
  return {
    sentToday: () => sentIn(DAY_MS),
    use(recipients) {
      if (sentIn(DAY_MS) + recipients > quota.day)
        throw new ServiceError('Throttling', 'Daily message quota exceeded.');
      if (sentIn(SECOND_MS) + recipients > quota.second)
        throw new ServiceError('Throttling', 'Maximum sending rate exceeded.');
      forget.run(clock.now() - DAY_MS);
      add.run(clock.now(), recipients);
    },
  };
};
