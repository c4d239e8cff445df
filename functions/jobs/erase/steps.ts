import * as z from 'zod';
import type { Failure } from '../../../core/errors/failure.ts';
import { HubError } from '../../../core/errors.ts';
import { identifierType, identifierValue } from '../../../core/identity/identifier.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import {
  type PersonalDataMatcher,
  personalDataMatcher,
} from '../../../core/privacy/personal-data-matcher.ts';
import { CONTACTS, type ErasedPerson, unknownPerson } from '../../contracts/rows/erasures.ts';
import type { EraseJobPorts, Step } from './step.ts';

/** By then every function that had read the customer before the rows were gone has ended. */
const QUIET_MS = 60_000;
/** By then every message that waited in a queue has been handled or is a failure. */
const LONGEST_QUIET_MS = 45 * 60_000;
const LOOK_AGAIN_SECONDS = 15;
/** How far the point-in-time recovery of the table reaches back. */
const BACKUP_DAYS = 35;
/** The prefixes of raw files in the bucket, and what each holds. */
const RAW = {
  'deliveries/': 'raw deliveries',
  'mail/': 'stored mails',
  'jobs/': 'files of exports and imports',
} as const;
/** Raw files are searched chunk by chunk; what a match may span, in characters. */
const OVERLAP = 4096;
const PARTS_AT_ONCE = 50;

/** The steps of an erasure in their order, by the names that checkpoints store. */
export const eraseSteps = (ports: EraseJobPorts): ReadonlyMap<string, Step> =>
  new Map([
    ['rows', removeRows(ports)],
    ['quiet-period', awaitQuiet(ports)],
    ['late-rows', removeLateRows(ports)],
    ['files', removeFiles(ports)],
    ['failures', removeFailures(ports)],
    ...Object.entries(RAW).map(
      ([prefix, what]) => [`raw-${prefix.slice(0, -1)}`, removeRaw(ports, prefix, what)] as const,
    ),
    ['crm-requests', requestCrms(ports)],
    ['crm-outcomes', awaitCrms(ports)],
    ['push-endpoints', removeEndpoints(ports)],
    ['archive', emptyArchive(ports)],
    ['receipt', signReceipt(ports)],
  ]);

const personOf = async ({ erasures }: EraseJobPorts, id: string): Promise<ErasedPerson> =>
  (await erasures.person(id)) ?? unknownPerson;

/** The erased customer, a matcher of their personal data, and the ids of their interactions. */
const searched = async (
  ports: EraseJobPorts,
  id: string,
): Promise<{ person: ErasedPerson; matcher: PersonalDataMatcher; ids: Set<string> }> => {
  const person = await personOf(ports, id);
  const ids = new Set<string>();
  const externalIds = new Set<string>();
  const names = await ports.erasures.partNames(id);
  for (let at = 0; at < names.length; at += PARTS_AT_ONCE)
    for (const part of (await ports.erasures.parts(id, names.slice(at, at + PARTS_AT_ONCE))).values()) {
      for (const one of part.interactions) ids.add(one);
      for (const one of part.externalIds) externalIds.add(one);
    }
  const identifiers = [...person.identifiers, ...person.guestIdentifiers];
  return { person, ids, matcher: personalDataMatcher(identifiers, externalIds) };
};

const removeRows =
  ({ rows, publishErased, erasures, now }: EraseJobPorts): Step =>
  async ({ parameters: { erasure, profileId }, timeLeft }) => {
    if (!(await rows.remove(erasure, profileId, timeLeft))) return { done: false };
    const { goneAt = instant(now()), profileIds, guests } = (await erasures.person(erasure)) ?? unknownPerson;
    // A guest who only lost the identifier that asked is not erased.
    if ([...profileIds, ...guests].includes(profileId)) await publishErased(profileId, goneAt);
    return { done: true };
  };

/** The rows are gone, but a function that had read them may still write. */
const awaitQuiet =
  ({ erasures, quiet, now }: EraseJobPorts): Step =>
  async ({ parameters: { erasure } }) => {
    const goneAt = Date.parse((await erasures.person(erasure))?.goneAt ?? instant(0));
    const waited = now() - goneAt;
    if (waited < QUIET_MS) return { done: false, delaySeconds: Math.ceil((QUIET_MS - waited) / 1000) };
    if (waited < LONGEST_QUIET_MS && !(await quiet()))
      return { done: false, delaySeconds: LOOK_AGAIN_SECONDS };
    return { done: true };
  };

const removeLateRows =
  (ports: EraseJobPorts): Step =>
  async ({ parameters: { erasure }, timeLeft }) => {
    if (!(await ports.rows.removeAgain(erasure, timeLeft))) return { done: false };
    const { rows: count, guests, others } = await personOf(ports, erasure);
    const left = [
      'Keyed hashes of interaction ids stay until the retention of interactions is over, so that a late redelivery is dropped.',
      'Keyed hashes of addresses that were closed or opted out stay, so that they stay closed; those of other identifiers for 15 days, so that what was on its way is dropped.',
      'Keyed hashes of the ids of CRM records stay, so that a record that could not be deleted does not bring the person back.',
    ];
    return {
      done: true,
      reports: {
        table: { what: 'rows of the customer, all merged source profiles and guests', count, left },
        guests: {
          what: 'guests that claimed only what belonged to the person',
          count: guests.length,
          left: keptBy(others),
        },
      },
    };
  };

/** By their ids: they contain nothing of the erased customer. */
const keptBy = (others: readonly string[]): string[] =>
  others.map(
    (guest) =>
      `The guest ${guest} claimed the person's identifiers and somebody else's, or was split from the person. It lost the person's and keeps the rest; its long texts and files are not changed.`,
  );

const removeFiles =
  ({ erasures, bucket }: EraseJobPorts): Step =>
  async ({ parameters: { erasure }, timeLeft, after }) => {
    let count = 0;
    const what = 'attachments and long texts';
    for (const name of await erasures.partNames(erasure)) {
      if (name <= after) continue;
      const part = (await erasures.parts(erasure, [name])).get(name);
      for (const key of part?.files ?? []) {
        await bucket.remove(key);
        count++;
      }
      if (!timeLeft()) return { done: false, after: name, reports: { files: { what, count } } };
    }
    return { done: true, reports: { files: { what, count } } };
  };

/** Failures that name the person by an id, in their reason, or in the payload that would be replayed. */
const removeFailures =
  (ports: EraseJobPorts): Step =>
  async ({ parameters: { erasure }, timeLeft, after }) => {
    const { person, matcher, ids } = await searched(ports, erasure);
    const profileIds = new Set([...person.profileIds, ...person.guests]);
    const about = ({ about: { profileId, interaction }, reason }: Failure): boolean =>
      profileIds.has(profileId ?? '') || ids.has(interaction ?? '') || matcher.isNamedIn(reason);
    const what = 'failures and their payloads, dead letters among them';
    const [failedAt = '', id = ''] = after.split('#');
    let count = 0;
    for await (const page of ports.failures.list(after === '' ? {} : { before: { failedAt, id } })) {
      for (const failure of page) {
        const payload = plainly((await ports.failures.payload(failure)) ?? '');
        // A later payload is of a new customer with the same address.
        const isOlder = (receivedAt(payload) ?? failure.firstFailedAt) <= (person.goneAt ?? '');
        if (isOlder && (about(failure) || matcher.isNamedIn(payload))) {
          await ports.failures.remove(failure);
          count++;
        }
        if (!timeLeft())
          return {
            done: false,
            after: `${failure.failedAt}#${failure.id}`,
            reports: { failures: { what, count } },
          };
      }
    }
    return { done: true, reports: { failures: { what, count } } };
  };

const receivedAt = (payload: string): string | undefined => /"receivedAt":"([^"]+)"/u.exec(payload)?.[1];

const Delivery = z.looseObject({ request: z.looseObject({ body: z.string() }) });

/** A delivery in a queue carries its body in base64. */
const plainly = (payload: string): string => {
  try {
    const read = Delivery.safeParse(JSON.parse(payload));
    return read.success ? `${payload}\n${Buffer.from(read.data.request.body, 'base64').toString()}` : payload;
  } catch {
    return payload;
  }
};

/** Raw files are searched in full: nothing else says which customer an unreadable delivery is about. */
const removeRaw =
  (ports: EraseJobPorts, prefix: string, what: string): Step =>
  async ({ parameters: { erasure }, timeLeft, after }) => {
    if (!ports.hasRaw(prefix)) return { done: true };
    const { person, matcher } = await searched(ports, erasure);
    const left =
      matcher.unsearchable.length === 0
        ? []
        : [
            `Identifiers of fewer than six characters (${typesOf(matcher)}) are not looked for; these files expire by themselves.`,
          ];
    let [count, last] = [0, after];
    for (;;) {
      const page = await ports.bucket.list(prefix, last);
      if (page.length === 0) return { done: true, reports: { [prefix]: { what, count, left } } };
      for (const { key, modifiedAt } of page) {
        if (modifiedAt <= (person.goneAt ?? '') && (await isNamed(ports, key, matcher))) {
          await ports.bucket.remove(key);
          count++;
        }
        last = key;
        if (!timeLeft()) return { done: false, after: last, reports: { [prefix]: { what, count, left } } };
      }
    }
  };

const typesOf = ({ unsearchable }: PersonalDataMatcher): string =>
  [...new Set(unsearchable.map(identifierType))].join(', ');

const isNamed = async (
  { bucket }: EraseJobPorts,
  key: string,
  matcher: PersonalDataMatcher,
): Promise<boolean> => {
  const decoder = new TextDecoder();
  let tail = '';
  for await (const bytes of (await bucket.open(key))?.body ?? []) {
    const text = tail + decoder.decode(bytes, { stream: true });
    if (matcher.isNamedIn(text)) return true;
    tail = text.slice(-OVERLAP);
  }
  return false;
};

const requestCrms =
  ({ erasures, crms, eraseInCrm }: EraseJobPorts): Step =>
  async ({ parameters: { erasure } }) => {
    const parts = [CONTACTS, ...(await erasures.partNames(erasure))];
    for (const crm of crms()) await eraseInCrm(crm, erasure, parts);
    return { done: true };
  };

/** Waits for every CRM, however long it is down: 2, 4, 8 … at most 600 seconds between two looks. */
const awaitCrms =
  ({ erasures, crms }: EraseJobPorts): Step =>
  async ({ parameters: { erasure }, after }) => {
    const parts = [CONTACTS, ...(await erasures.partNames(erasure))];
    const outcomes = await erasures.outcomes(erasure);
    const open = crms().some((crm) => parts.some((part) => !outcomes.has(`${crm}#${part}`)));
    const looks = Number(after) + 1;
    if (open)
      return { done: false, after: String(looks), delaySeconds: Math.min(600, 2 ** Math.min(looks, 10)) };
    const reports = crms().map((crm) => {
      const own = parts.flatMap((part) => outcomes.get(`${crm}#${part}`) ?? []);
      const count = own.reduce((sum, outcome) => sum + outcome.count, 0);
      const left = own.flatMap((outcome) => outcome.left);
      return [crm, { what: 'contacts and the records of their interactions', count, left }] as const;
    });
    return { done: true, reports: Object.fromEntries(reports) };
  };

const removeEndpoints =
  (ports: EraseJobPorts): Step =>
  async ({ parameters: { erasure } }) => {
    const { identifiers } = await personOf(ports, erasure);
    const arns = identifiers
      .filter((one) => identifierType(one) === 'push')
      .map((one) => identifierValue(one).replace(/^[^:]*:/u, ''))
      .filter((one) => one.startsWith('arn:'));
    for (const arn of arns) await ports.removeEndpoint(arn);
    return { done: true, reports: { push: { what: 'endpoints of devices in SNS', count: arns.length } } };
  };

const emptyArchive =
  ({ emptyArchive, now }: EraseJobPorts): Step =>
  async () => {
    await emptyArchive();
    const until = instant(now() + BACKUP_DAYS * 86_400_000).slice(0, 10);
    return {
      done: true,
      reports: {
        archive: { what: 'the archive of the bus, emptied of all events', count: 1 },
        backups: {
          what: 'backups of the table',
          count: 0,
          left: [
            `AWS keeps the table as it was at each second until ${until}; nobody can change that. Whoever restores it applies the erasures again.`,
          ],
        },
        logs: { what: 'logs, which hold no identifiers and no texts', count: 0 },
      },
    };
  };

/** The receipt is stored first; then what the erasure itself had stored of the customer is removed. */
const signReceipt =
  ({ erasures, sign, hub, now }: EraseJobPorts): Step =>
  async ({ parameters: { erasure: id }, systems }) => {
    const erasure = await erasures.get(id);
    if (erasure === undefined)
      throw new HubError('unknown-erasure', 'There is no such erasure.', { retry: 'never' });
    if (erasure.receipt === undefined) {
      const { person, askedAt, by } = erasure;
      const receipt = await sign({
        ...{ format: 'tributary-erasure-1' as const, hub: hub(), erasure: id, person, askedAt, by },
        finishedAt: instant(now()),
        systems: Object.entries(systems).map(([system, one]) => ({ system, ...one })),
      });
      const { profileId: _, ...rest } = erasure;
      if (!(await erasures.save({ ...rest, receipt })))
        throw new HubError('write-conflict', 'The erasure was changed meanwhile.', { retry: 'later' });
    }
    await erasures.removePerson(id);
    return { done: true };
  };
