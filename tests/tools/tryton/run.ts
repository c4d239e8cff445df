import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import * as z from 'zod';
import { httpConnector } from '../../../connectors/crm/http/index.ts';
import { type CrmRecord, type CrmSession, unsharedToken } from '../../../core/crm/connector.ts';
import { compileMapping } from '../../../core/crm/mapping/mapping.ts';
import { assembly } from '../../../infra/stack/assembly.ts';
import { root } from '../../../infra/stack/bundle.ts';
import { openTestHub, type TestHub } from '../../support/open-test-hub.ts';
import { type LossyProxy, openProxy } from './proxy.ts';
import { createTryton, credentials, type Tryton } from './server.ts';

const PEOPLE = 100;
const RACED = 50;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const EXAMPLE = join(root, 'docs', 'examples', 'tryton.yaml');

/** The configuration of a hub whose only CRM is this Tryton. */
const writeMappings = (folder: string, port: number): string => {
  const mappings = join(folder, 'mappings');
  cpSync(join(root, 'mappings'), mappings, { recursive: true });
  for (const part of ['crm', 'triggers'])
    for (const file of readdirSync(join(mappings, part))) rmSync(join(mappings, part, file));
  writeFileSync(
    join(mappings, 'hub.yaml'),
    'name: acme\nchannels: { twilio: {}, sendgrid: {}, meta: {} }\ncrms: { tryton: { connector: http } }\n',
  );
  writeFileSync(join(mappings, 'crm', 'tryton.yaml'), mappingFor(port));
  return mappings;
};

const mappingFor = (port: number): string =>
  readFileSync(EXAMPLE, 'utf8').replace('https://tryton.example.com', `http://127.0.0.1:${port}`);

const noteOf = (person: number, round: number): object => ({
  ...{ id: `note-${round}-${person}`, kind: 'message', channel: 'email', direction: 'inbound' },
  identifiers: [`email:person${person}@example.com`, `phone:+1415555${1000 + person}`],
  proven: [`email:person${person}@example.com`, `phone:+1415555${1000 + person}`],
  profile: { name: { full: `Person ${person} "O'Neil" {{ x }}` } },
  text: `Note ${round} of person ${person}: "quoted" % _ \\ {{ x }}`,
});

/** Sends one note of each person, as if they wrote now. */
const send = async (hub: TestHub, round: number): Promise<void> => {
  const occurredAt = new Date(hub.clock.now()).toISOString();
  const all = Array.from({ length: PEOPLE }, (_, person) => ({ ...noteOf(person, round), occurredAt }));
  for (let start = 0; start < all.length; start += 25) {
    const { status, body } = await hub.api('POST', '/events', all.slice(start, start + 25));
    if (status !== 202) throw new Error(`The events were answered with ${status}: ${JSON.stringify(body)}`);
  }
};

const Parties = z.array(z.object({ id: z.number(), code: z.string() }));
const Notes = z.array(z.object({ id: z.number(), message: z.string() }));

const partiesOf = async (tryton: Tryton, prefix: string) =>
  Parties.parse(
    await tryton.call('model.party.party.search_read', [['code', 'like', `${prefix}%`]], 0, null, null, [
      'code',
    ]),
  );
const notesOf = async (tryton: Tryton, text: string) =>
  Notes.parse(
    await tryton.call('model.ir.note.search_read', [['message', 'like', `%${text}%`]], 0, null, null, [
      'message',
    ]),
  );

const doubled = (keys: readonly string[]): number => keys.length - new Set(keys).size;

interface Figures {
  readonly [name: string]: number;
}

/** What one run of all stories gave; `faults`: sentences, empty where all is well. */
export interface Outcome {
  readonly figures: Figures;
  readonly faults: readonly string[];
}

export const runTryton = async (report: (line: string) => void): Promise<Outcome> => {
  const folder = mkdtempSync(join(tmpdir(), 'tryton-'));
  report('Creating the database of Tryton …');
  const tryton = await createTryton(folder);
  await tryton.start();
  const proxy = await openProxy(tryton.port);
  try {
    process.env['HUB_MAPPINGS'] = writeMappings(folder, proxy.port);
    const hub = await openTestHub({ assembly: await assembly(), fetch });
    const story = await tellStory({ hub, tryton, proxy, report }).finally(() => hub.stop());
    const race = await raceTwoWorkers(tryton, proxy, report);
    return { figures: { ...story.figures, ...race.figures }, faults: [...story.faults, ...race.faults] };
  } finally {
    await proxy.stop();
    await tryton.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};

interface Story {
  readonly hub: TestHub;
  readonly tryton: Tryton;
  readonly proxy: LossyProxy;
  readonly report: (line: string) => void;
}

const tellStory = async ({ hub, tryton, proxy, report }: Story): Promise<Outcome> => {
  report(`${PEOPLE} people write; the answer of every third write of Tryton is lost …`);
  await hub.setSecret('crm/tryton', credentials);
  proxy.loseEvery(3);
  await send(hub, 1);
  await hub.wait(HOUR_MS);
  report('Somebody deletes a party; all write again, and Tryton is stopped in the middle …');
  const [victim] = await partiesOf(tryton, 'acme:');
  if (victim === undefined) throw new Error('Nobody arrived in Tryton.');
  await tryton.call('model.party.party.delete', [victim.id]);
  await tryton.stop();
  await send(hub, 2);
  await hub.wait(10 * MINUTE_MS);
  await tryton.start();
  await hub.wait(3 * HOUR_MS);
  proxy.loseEvery(0);
  await hub.wait(3 * HOUR_MS);
  const parties = await partiesOf(tryton, 'acme:');
  const notes = (await notesOf(tryton, 'Note ')).map(
    ({ message }) => /Note \d of person \d+/u.exec(message)?.[0] ?? '',
  );
  const failures: { readonly code: string }[] = await hub.failures();
  const { requests, lost } = proxy.counts();
  const figures = {
    ...{ people: PEOPLE, 'notes sent': 2 * PEOPLE, requests, 'lost answers': lost },
    ...{ parties: parties.length, 'doubled parties': doubled(parties.map(({ code }) => code)) },
    'missing parties': PEOPLE - 1 - new Set(parties.map(({ code }) => code)).size,
    ...{ notes: notes.length, 'doubled notes': doubled(notes) },
    'missing notes': 2 * PEOPLE - new Set(notes).size,
    'open failures': failures.length,
  };
  for (const code of new Set(failures.map((one) => one.code)))
    report(`  failure ${code}: ${failures.filter((one) => one.code === code).length}`);
  return { figures, faults: faultsOf(figures) };
};

/** The note of the person whose party was deleted may be missing; it is a failure then. */
const faultsOf = (figures: Figures): string[] =>
  Object.entries(figures).flatMap(([name, count]) => {
    const most = name === 'missing notes' ? 1 : 0;
    return /^(?:doubled|missing|raced doubled|raced missing)/u.test(name) && (count > most || count < 0)
      ? [`${name}: ${count}`]
      : [];
  });

/** Two workers write the same parties and notes at once, of which Tryton keeps one each. */
const raceTwoWorkers = async (
  tryton: Tryton,
  proxy: LossyProxy,
  report: (line: string) => void,
): Promise<Outcome> => {
  report(`Two workers write the same ${RACED} parties and notes at once …`);
  const { http } = compileMapping('tryton', parse(mappingFor(proxy.port)));
  if (http === undefined) throw new Error('The example has no section http.');
  const connector = httpConnector({
    ...{ crm: 'tryton', title: 'Tryton' },
    section: async () => http,
    world: { fetch, now: () => Date.now(), isLocal: true },
  });
  const call = { signal: AbortSignal.timeout(120_000), spend: async () => {}, sleep };
  const keys = Array.from({ length: RACED }, (_, at) => `race:${at}`);
  const work = async (): Promise<void> => {
    const session = await connector.open(credentials, unsharedToken, call.signal);
    const ids = await untilWritten(
      session,
      'party.party',
      'code',
      keys.map((key) => ({ key, fields: { name: key } })),
    );
    await untilWritten(
      session,
      'ir.note',
      'hub_key',
      keys.map((key) => ({
        ...{ key, fields: { message: 'Raced' }, links: { resource: ids.get(key) ?? '' } },
      })),
    );
  };
  const untilWritten = async (
    session: CrmSession,
    object: string,
    keyField: string,
    records: readonly CrmRecord[],
  ): Promise<ReadonlyMap<string, string>> => {
    const ids = new Map<string, string>();
    for (let tries = 0; ids.size < records.length && tries < 20; tries++) {
      const left = records.filter(({ key }) => !ids.has(key));
      for (const one of await session.upsert(object, keyField, left, call))
        if (!('fault' in one)) ids.set(one.key, one.id);
    }
    return ids;
  };
  await Promise.all([work(), work()]);
  const parties = (await partiesOf(tryton, 'race:')).map(({ code }) => code);
  const notes = (await notesOf(tryton, 'Raced')).map(({ message }) => message);
  const figures = {
    ...{ 'raced doubled parties': doubled(parties), 'raced missing parties': RACED - new Set(parties).size },
    ...{ 'raced doubled notes': doubled(notes), 'raced missing notes': RACED - new Set(notes).size },
  };
  return { figures, faults: faultsOf(figures) };
};
