import * as z from 'zod';
import type { Failure } from '../../../core/errors/failure.ts';
import { HubError } from '../../../core/errors.ts';
import { identifierType, identifierValue } from '../../../core/identity/identifier.ts';
import { instant } from '../../../core/interaction/interaction.ts';
import {
  type PersonalDataMatcher,
  personalDataMatcher,
} from '../../../core/privacy/personal-data-matcher.ts';
import { CONTACTS, type ErasedPerson } from '../../contracts/rows/erasures.ts';
import type { EraseJobPorts, Step } from './step.ts';

/** Every function that has read the person before their rows were gone has ended by then. */
const REST_MS = 60_000;
/** Until then what waited in a queue has been tried as often as it is, or is a failure. */
const LONGEST_REST_MS = 45 * 60_000;
const LOOK_AGAIN_SECONDS = 15;
/** How long the hub can go back in time. */
const BACKUP_DAYS = 35;
/** What raw files lie under, and what each prefix holds. */
const RAW = {
  'deliveries/': 'raw deliveries',
  'mail/': 'stored mails',
  'jobs/': 'files of exports and imports',
} as const;
const OVERLAP = 4096;
const PARTS_AT_ONCE = 50;

/** What an erasure does, in its order. */
export const stepsOf = (ports: EraseJobPorts): readonly Step[] => [
  { name: 'rows', run: rows(ports) },
  { name: 'rest', run: rest(ports) },
  { name: 'again', run: again(ports) },
  { name: 'files', run: files(ports) },
  { name: 'failures', run: failed(ports) },
  ...Object.entries(RAW).map(([prefix, what]) => ({ name: prefix, run: raw(ports, prefix, what) })),
  { name: 'ask', run: askCrms(ports) },
  { name: 'crms', run: awaitCrms(ports) },
  { name: 'push', run: push(ports) },
  { name: 'archive', run: archive(ports) },
  { name: 'sign', run: sign(ports) },
];

const personOf = async ({ erasures }: EraseJobPorts, id: string): Promise<ErasedPerson> =>
  (await erasures.person(id)) ?? { profileIds: [], identifiers: [], rows: 0 };

/** What the person's traces are, and what was named by the rows that are gone. */
const wanted = async (
  ports: EraseJobPorts,
  id: string,
): Promise<{ person: ErasedPerson; found: PersonalDataMatcher; ids: Set<string> }> => {
  const person = await personOf(ports, id);
  const ids = new Set<string>();
  const externalIds = new Set<string>();
  const names = await ports.erasures.partNames(id);
  for (let at = 0; at < names.length; at += PARTS_AT_ONCE)
    for (const part of (await ports.erasures.parts(id, names.slice(at, at + PARTS_AT_ONCE))).values()) {
      for (const one of part.interactions) ids.add(one);
      for (const one of part.externalIds) externalIds.add(one);
    }
  return { person, ids, found: personalDataMatcher(person.identifiers, externalIds) };
};

const rows =
  ({ rows, tellErased, erasures, now }: EraseJobPorts): Step['run'] =>
  async ({ parameters: { erasure, profileId }, timeLeft }) => {
    if (!(await rows.remove(erasure, profileId, timeLeft))) return { done: false };
    const person = await erasures.person(erasure);
    await tellErased(profileId, person?.goneAt ?? instant(now()));
    return { done: true };
  };

/** The rows are gone; whoever has read them before may still write. */
const rest =
  ({ erasures, quiet, now }: EraseJobPorts): Step['run'] =>
  async ({ parameters: { erasure } }) => {
    const goneAt = Date.parse((await erasures.person(erasure))?.goneAt ?? instant(0));
    const waited = now() - goneAt;
    if (waited < REST_MS) return { done: false, delaySeconds: Math.ceil((REST_MS - waited) / 1000) };
    if (waited < LONGEST_REST_MS && !(await quiet()))
      return { done: false, delaySeconds: LOOK_AGAIN_SECONDS };
    return { done: true };
  };

const again =
  ({ rows, erasures }: EraseJobPorts): Step['run'] =>
  async ({ parameters: { erasure }, timeLeft }) => {
    if (!(await rows.removeAgain(erasure, timeLeft))) return { done: false };
    const count = (await erasures.person(erasure))?.rows ?? 0;
    const left = [
      'Keyed hashes of interaction ids stay until the retention of interactions is over, so that a late redelivery is dropped.',
      'Keyed hashes of addresses that were closed or opted out stay, so that they stay closed; those of other identifiers for 15 days, so that what was on its way is dropped.',
    ];
    return {
      done: true,
      told: { table: { what: 'rows of the customer, all merged source profiles', count, left } },
    };
  };

const files =
  ({ erasures, objects }: EraseJobPorts): Step['run'] =>
  async ({ parameters: { erasure }, timeLeft, place }) => {
    let count = 0;
    const what = 'attachments and long texts';
    for (const name of await erasures.partNames(erasure)) {
      if (name <= place) continue;
      const part = (await erasures.parts(erasure, [name])).get(name);
      for (const key of part?.files ?? []) {
        await objects.remove(key);
        count++;
      }
      if (!timeLeft()) return { done: false, place: name, told: { files: { what, count } } };
    }
    return { done: true, told: { files: { what, count } } };
  };

/** Failures that name the person by an id, in their reason, or in the payload that would be replayed. */
const failed =
  (ports: EraseJobPorts): Step['run'] =>
  async ({ parameters: { erasure }, timeLeft, place }) => {
    const { person, found, ids } = await wanted(ports, erasure);
    const profileIds = new Set(person.profileIds);
    const about = ({ about: { profileId, interaction }, reason }: Failure): boolean =>
      profileIds.has(profileId ?? '') || ids.has(interaction ?? '') || found.isNamedIn(reason);
    const what = 'failures and their payloads, dead letters among them';
    const [failedAt = '', id = ''] = place.split('#');
    let count = 0;
    for await (const page of ports.failures.list(place === '' ? {} : { before: { failedAt, id } })) {
      for (const failure of page) {
        const payload = plainly((await ports.failures.payload(failure)) ?? '');
        // What came since is of a new customer with the same address.
        const isOlder = (receivedAt(payload) ?? failure.firstFailedAt) <= (person.goneAt ?? '');
        if (isOlder && (about(failure) || found.isNamedIn(payload))) {
          await ports.failures.remove(failure);
          count++;
        }
        if (!timeLeft())
          return {
            done: false,
            place: `${failure.failedAt}#${failure.id}`,
            told: { failures: { what, count } },
          };
      }
    }
    return { done: true, told: { failures: { what, count } } };
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

/** Raw files are searched byte by byte: what nobody could read has no other index. */
const raw =
  (ports: EraseJobPorts, prefix: string, what: string): Step['run'] =>
  async ({ parameters: { erasure }, timeLeft, place }) => {
    if (!ports.hasRaw(prefix)) return { done: true };
    const { person, found } = await wanted(ports, erasure);
    const left =
      found.unsearchable.length === 0
        ? []
        : [
            `Identifiers of fewer than six characters (${typesOf(found)}) are not looked for; these files expire by themselves.`,
          ];
    let [count, after] = [0, place];
    for (;;) {
      const page = await ports.objects.list(prefix, after);
      if (page.length === 0) return { done: true, told: { [prefix]: { what, count, left } } };
      for (const { key, modifiedAt } of page) {
        if (modifiedAt <= (person.goneAt ?? '') && (await isNamed(ports, key, found))) {
          await ports.objects.remove(key);
          count++;
        }
        after = key;
        if (!timeLeft()) return { done: false, place: after, told: { [prefix]: { what, count, left } } };
      }
    }
  };

const typesOf = ({ unsearchable: tooShort }: PersonalDataMatcher): string =>
  [...new Set(tooShort.map(identifierType))].join(', ');

const isNamed = async (
  { objects }: EraseJobPorts,
  key: string,
  found: PersonalDataMatcher,
): Promise<boolean> => {
  const decoder = new TextDecoder();
  let tail = '';
  for await (const bytes of (await objects.read(key)) ?? []) {
    const text = tail + decoder.decode(bytes, { stream: true });
    if (found.isNamedIn(text)) return true;
    tail = text.slice(-OVERLAP);
  }
  return false;
};

const askCrms =
  ({ erasures, crms, eraseInCrm }: EraseJobPorts): Step['run'] =>
  async ({ parameters: { erasure } }) => {
    const parts = [CONTACTS, ...(await erasures.partNames(erasure))];
    for (const crm of crms()) await eraseInCrm(crm, erasure, parts);
    return { done: true };
  };

/** A CRM that is down is waited for, however long. */
const awaitCrms =
  ({ erasures, crms }: EraseJobPorts): Step['run'] =>
  async ({ parameters: { erasure }, place }) => {
    const parts = [CONTACTS, ...(await erasures.partNames(erasure))];
    const outcomes = await erasures.outcomes(erasure);
    const open = crms().some((crm) => parts.some((part) => !outcomes.has(`${crm}#${part}`)));
    const looks = Number(place) + 1;
    if (open)
      return { done: false, place: String(looks), delaySeconds: Math.min(600, 2 ** Math.min(looks, 10)) };
    const tellings = crms().map((crm) => {
      const own = parts.flatMap((part) => outcomes.get(`${crm}#${part}`) ?? []);
      const count = own.reduce((sum, outcome) => sum + outcome.count, 0);
      const left = own.flatMap((outcome) => outcome.left);
      return [crm, { what: 'contacts and the records of their interactions', count, left }] as const;
    });
    return { done: true, told: Object.fromEntries(tellings) };
  };

const push =
  (ports: EraseJobPorts): Step['run'] =>
  async ({ parameters: { erasure } }) => {
    const { identifiers } = await personOf(ports, erasure);
    const arns = identifiers
      .filter((one) => identifierType(one) === 'push')
      .map((one) => identifierValue(one).replace(/^[^:]*:/u, ''))
      .filter((one) => one.startsWith('arn:'));
    for (const arn of arns) await ports.removeEndpoint(arn);
    return { done: true, told: { push: { what: 'endpoints of devices in SNS', count: arns.length } } };
  };

const archive =
  ({ emptyArchive, now }: EraseJobPorts): Step['run'] =>
  async () => {
    await emptyArchive();
    const until = instant(now() + BACKUP_DAYS * 86_400_000).slice(0, 10);
    return {
      done: true,
      told: {
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

/** The receipt is written first; then everything that named the person until now goes too. */
const sign =
  ({ erasures, sign, hub, now }: EraseJobPorts): Step['run'] =>
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
    await erasures.forget(id);
    return { done: true };
  };
