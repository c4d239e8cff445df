import * as z from 'zod';
import { listOf } from '../protocol/query.ts';
import type { ServiceContext } from '../protocol/service.ts';

/** A mail that SES took, as its events tell of it. */
export interface TakenMail {
  readonly id: string;
  readonly operation: string;
  readonly configurationSet: string | null;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string | undefined;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly tags: Readonly<Record<string, string>>;
}

/** Event destinations name what they want in camel case; the events themselves do not. */
const wantedNames: Readonly<Record<string, string>> = {
  Send: 'send',
  Delivery: 'delivery',
  Bounce: 'bounce',
  Complaint: 'complaint',
};
const MTA = 'a8-1.smtp-out.amazonses.com';
/** A mail is on its way for a moment before anybody can say what became of it. */
const UNDERWAY_MS = 1000;
const Fields = z.array(z.tuple([z.string(), z.string()]));

/** What the mailbox simulator does with a mail to each of its addresses; every other address takes it. */
const outcomeOf = (address: string): 'Delivery' | 'Bounce' | 'Complaint' | 'Suppressed' => {
  const [, name = ''] = /^([^@+]+)(?:\+[^@]*)?@simulator\.amazonses\.com$/iu.exec(address) ?? [];
  return (
    ({ bounce: 'Bounce', complaint: 'Complaint', suppressionlist: 'Suppressed' } as const)[
      name.toLowerCase()
    ] ?? 'Delivery'
  );
};

/**
 * What becomes of mails: each event goes to the topics that the mail's configuration set names for it, stored until it is
 * published.
 */
export const sesEvents = (surroundings: ServiceContext): ((mail: TakenMail) => void) => {
  const { db, clock, newId, region, account, deliver } = surroundings;
  db.exec(
    'CREATE TABLE IF NOT EXISTS ses_events (seq INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, source TEXT NOT NULL, payload TEXT NOT NULL, due INTEGER NOT NULL) STRICT',
  );
  const add = db.prepare('INSERT INTO ses_events (topic, source, payload, due) VALUES (?, ?, ?, ?)');
  const one = db.prepare('SELECT topic, source, payload FROM ses_events WHERE seq = ?');
  const done = db.prepare('DELETE FROM ses_events WHERE seq = ?');
  const destinations = db.prepare('SELECT fields FROM ses_event_destinations WHERE set_name = ?');

  const publish = async (seq: number): Promise<void> => {
    const row = one.get(seq);
    if (row === undefined) return;
    const [arn, source, payload] = [String(row['topic']), String(row['source']), String(row['payload'])];
    // As in the account: an event that its topic does not take is lost, and the reason is told.
    try {
      await deliver({ arn, payload, source, principal: 'ses.amazonaws.com' });
    } finally {
      done.run(seq);
    }
  };
  const topicsFor = (set: string, type: string): string[] =>
    destinations.all(set).flatMap(({ fields }) => {
      const form = new URLSearchParams(Fields.parse(JSON.parse(String(fields))));
      const wants = listOf(form, 'EventDestination.MatchingEventTypes').includes(wantedNames[type] ?? '');
      const topic = form.get('EventDestination.SNSDestination.TopicARN');
      const enabled = form.get('EventDestination.Enabled') !== 'false';
      return wants && enabled && topic !== null ? [topic] : [];
    });
  for (const { seq, due } of db.prepare('SELECT seq, due FROM ses_events').all())
    clock.at(Number(due), () => publish(Number(seq)));

  return (mail) => {
    const set = mail.configurationSet;
    if (set === null) return;
    const sentAt = new Date(clock.now()).toISOString();
    const timestamp = new Date(clock.now() + UNDERWAY_MS).toISOString();
    const about = aboutMail(mail, sentAt, surroundings);
    const source = `arn:aws:ses:${region}:${account}:configuration-set/${set}`;
    const tell = (eventType: string, due: number, detail: object): void => {
      const payload = JSON.stringify({ eventType, mail: about, [eventType.toLowerCase()]: detail });
      for (const topic of topicsFor(set, eventType)) {
        const { lastInsertRowid } = add.run(topic, source, payload, due);
        clock.at(due, () => publish(Number(lastInsertRowid)));
      }
    };
    tell('Send', clock.now(), {});
    for (const address of mail.to) {
      const outcome = outcomeOf(address);
      const due = clock.now() + UNDERWAY_MS;
      const feedbackId = newId();
      if (outcome === 'Bounce' || outcome === 'Suppressed') {
        tell('Bounce', due, bounced(address, outcome === 'Suppressed', { feedbackId, timestamp }));
        continue;
      }
      tell('Delivery', due, {
        timestamp,
        processingTimeMillis: UNDERWAY_MS,
        recipients: [address],
        smtpResponse: '250 2.6.0 Message received',
        reportingMTA: MTA,
      });
      if (outcome === 'Complaint')
        tell('Complaint', due, {
          feedbackId,
          complaintSubType: null,
          complainedRecipients: [{ emailAddress: address }],
          timestamp,
          userAgent: 'Amazon SES Mailbox Simulator',
          complaintFeedbackType: 'abuse',
          arrivalDate: timestamp,
        });
    }
  };
};

const bounced = (
  emailAddress: string,
  isSuppressed: boolean,
  told: { readonly feedbackId: string; readonly timestamp: string },
): object => ({
  ...told,
  bounceType: 'Permanent',
  bounceSubType: isSuppressed ? 'Suppressed' : 'General',
  bouncedRecipients: [
    isSuppressed
      ? {
          emailAddress,
          action: 'failed',
          status: '5.1.1',
          diagnosticCode:
            'Amazon SES has suppressed sending to this address because it has a recent history of bouncing as an invalid address.',
        }
      : {
          emailAddress,
          action: 'failed',
          status: '5.1.1',
          diagnosticCode: 'smtp; 550 5.1.1 user unknown',
        },
  ],
  reportingMTA: `dns; ${MTA}`,
});

/** The part that every event of a mail has. */
const aboutMail = (
  { id, operation, configurationSet, from, to, subject, headers, tags }: TakenMail,
  timestamp: string,
  { region, account }: ServiceContext,
): object => {
  const address = /<([^>]+)>/u.exec(from)?.[1] ?? from;
  const domain = address.split('@').at(-1) ?? '';
  return {
    timestamp,
    source: from,
    sourceArn: `arn:aws:ses:${region}:${account}:identity/${domain}`,
    sendingAccountId: account,
    messageId: id,
    destination: to,
    headersTruncated: false,
    headers,
    commonHeaders: { from: [from], to, messageId: id, ...(subject !== undefined && { subject }) },
    tags: {
      'ses:operation': [operation],
      'ses:configuration-set': [configurationSet],
      'ses:source-ip': ['127.0.0.1'],
      'ses:from-domain': [domain],
      'ses:caller-identity': ['local'],
      ...Object.fromEntries(Object.entries(tags).map(([name, value]) => [name, [value]])),
      'ses:outgoing-ip': ['127.0.0.1'],
    },
  };
};
