import type { ServiceContext } from '../protocol/service.ts';
import type { ConfigurationSets } from './configuration-sets.ts';

/** An accepted e-mail, with the fields of its events. */
export interface AcceptedMail {
  readonly id: string;
  readonly operation: string;
  readonly configurationSet: string | null;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string | undefined;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly tags: Readonly<Record<string, string>>;
}

const MTA = 'a8-1.smtp-out.amazonses.com';
/** The time between sending and delivery. */
const DELIVERY_MS = 1000;

/** The outcome of a delivery. Addresses of the mailbox simulator fail by their names; every other address accepts. */
const outcomeOf = (address: string): 'Delivery' | 'Bounce' | 'Complaint' | 'Suppressed' => {
  const [, name = ''] = /^([^@+]+)(?:\+[^@]*)?@simulator\.amazonses\.com$/iu.exec(address) ?? [];
  return (
    ({ bounce: 'Bounce', complaint: 'Complaint', suppressionlist: 'Suppressed' } as const)[
      name.toLowerCase()
    ] ?? 'Delivery'
  );
};

/**
 * Publishes the events of an accepted e-mail to the topics of its configuration set. Each event is stored until it is
 * published.
 */
export const sesEvents = (
  context: ServiceContext,
  { topicsFor }: ConfigurationSets,
): ((mail: AcceptedMail) => void) => {
  const { clock, newId, region, account } = context;
  const queue = eventQueue(context);
  return (mail) => {
    const set = mail.configurationSet;
    if (set === null) return;
    const timestamp = new Date(clock.now() + DELIVERY_MS).toISOString();
    const about = aboutMail(mail, new Date(clock.now()).toISOString(), context);
    const source = `arn:aws:ses:${region}:${account}:configuration-set/${set}`;
    const report = (eventType: string, due: number, detail: object): void => {
      const name = eventType.toLowerCase();
      const payload = JSON.stringify({ eventType, mail: about, [name]: detail });
      for (const topic of topicsFor(set, name)) queue(topic, source, payload, due);
    };
    report('Send', clock.now(), {});
    for (const address of mail.to) {
      const due = clock.now() + DELIVERY_MS;
      const stamp = { feedbackId: newId(), timestamp };
      for (const [eventType, detail] of outcomeEvents(address, stamp)) report(eventType, due, detail);
    }
  };
};

/** The events of one recipient with their details. */
const outcomeEvents = (
  address: string,
  stamp: { readonly feedbackId: string; readonly timestamp: string },
): (readonly [string, object])[] => {
  const { timestamp } = stamp;
  const outcome = outcomeOf(address);
  if (outcome === 'Bounce' || outcome === 'Suppressed')
    return [['Bounce', bounced(address, outcome === 'Suppressed', stamp)]];
  const delivery = {
    timestamp,
    processingTimeMillis: DELIVERY_MS,
    recipients: [address],
    smtpResponse: '250 2.6.0 Message received',
    reportingMTA: MTA,
  };
  if (outcome === 'Delivery') return [['Delivery', delivery]];
  const complaint = {
    ...stamp,
    complaintSubType: null,
    complainedRecipients: [{ emailAddress: address }],
    userAgent: 'Amazon SES Mailbox Simulator',
    complaintFeedbackType: 'abuse',
    arrivalDate: timestamp,
  };
  return [
    ['Delivery', delivery],
    ['Complaint', complaint],
  ];
};

/** Stores events until they are published. Returns a function that queues one for an instant. */
const eventQueue = ({
  db,
  clock,
  deliver,
}: ServiceContext): ((topic: string, source: string, payload: string, due: number) => void) => {
  db.exec(
    'CREATE TABLE IF NOT EXISTS ses_events (seq INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, source TEXT NOT NULL, payload TEXT NOT NULL, due INTEGER NOT NULL) STRICT',
  );
  const add = db.prepare('INSERT INTO ses_events (topic, source, payload, due) VALUES (?, ?, ?, ?)');
  const one = db.prepare('SELECT topic, source, payload FROM ses_events WHERE seq = ?');
  const remove = db.prepare('DELETE FROM ses_events WHERE seq = ?');
  const publish = async (seq: number): Promise<void> => {
    const row = one.get(seq);
    if (row === undefined) return;
    const [arn, source, payload] = [String(row['topic']), String(row['source']), String(row['payload'])];
    // As in an account, SES does not retry: an event that its topic refuses is lost, and the error is reported.
    try {
      await deliver({ arn, payload, source, principal: 'ses.amazonaws.com' });
    } finally {
      remove.run(seq);
    }
  };
  for (const { seq, due } of db.prepare('SELECT seq, due FROM ses_events').all())
    clock.at(Number(due), () => publish(Number(seq)));
  return (topic, source, payload, due) => {
    const { lastInsertRowid } = add.run(topic, source, payload, due);
    clock.at(due, () => publish(Number(lastInsertRowid)));
  };
};

const bounced = (
  emailAddress: string,
  isSuppressed: boolean,
  stamp: { readonly feedbackId: string; readonly timestamp: string },
): object => ({
  ...stamp,
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

/** The `mail` of an event. */
const aboutMail = (
  { id, operation, configurationSet, from, to, subject, headers, tags }: AcceptedMail,
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
