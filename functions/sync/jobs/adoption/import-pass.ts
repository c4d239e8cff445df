import { firstInboundValues } from '../../../../core/crm/first-read.ts';
import { reportedProfile } from '../../../../core/crm/reported-profile.ts';
import { HubError } from '../../../../core/errors.ts';
import { referenceTo } from '../../../../core/identity/crm/accounts.ts';
import { refusedKey } from '../../../contracts/jobs/job.ts';
import type {
  CommandMessage,
  ImportMessage,
  InteractionMessage,
} from '../../../contracts/messages/record.ts';
import { openRecordReview } from '../../contacts/begin.ts';
import type { Contacts } from '../../contacts/write.ts';
import { crmInteraction } from '../../crm-interaction.ts';
import type { AdoptionCounts } from './checkpoint.ts';
import { type Adopting, after, type Pass, readPage } from './context.ts';
import { type Judged, judgePage } from './judge.ts';
import { reportedRows } from './report.ts';

const ROWS_PER_MESSAGE = 40;

/** Judges each record, counts, and imports the people whom the hub does not know. A dry run only counts. */
export const importPass: Pass = async (adopting, checkpoint) => {
  const { ports, job, parameters } = adopting;
  const listed = await readPage(adopting, checkpoint.cursor);
  const { records } = listed;
  const page = await judgePage(adopting, records);
  if (!parameters.dryRun) {
    await importPeople(adopting, page, checkpoint.counts.read);
    await askPeople(adopting, page);
  }
  const { reportedParts: part } = checkpoint;
  const rows = reportedRows(page, part === 0);
  if (rows !== undefined) await ports.put(refusedKey(job, part), Buffer.from(rows));
  return after(
    {
      ...checkpoint,
      counts: counted(checkpoint.counts, page),
      reportedParts: part + (rows === undefined ? 0 : 1),
    },
    listed,
    'drain',
  );
};

const counted = (counts: AdoptionCounts, page: readonly Judged[]): AdoptionCounts => {
  const number = (fate: Judged['fate']): number => page.filter((one) => one.fate === fate).length;
  return {
    read: counts.read + page.length,
    linked: counts.linked + number('linked'),
    ambiguous: counts.ambiguous + number('ambiguous'),
    withoutAddress: counts.withoutAddress + number('without-address'),
    erased: counts.erased + number('erased'),
  };
};

/** A record that visitors may have made is recorded like any other unknown one: its addresses are claimed. */
const importPeople = async (adopting: Adopting, page: readonly Judged[], line: number): Promise<void> => {
  const unknown = page.flatMap((one) => (one.fate === 'linked' && one.subject === undefined ? [one] : []));
  const rows = unknown.map((one) =>
    one.record.byStaff ? importRow(adopting, one) : foundRow(adopting, one),
  );
  const messages: string[] = [];
  for (let start = 0; start < rows.length; start += ROWS_PER_MESSAGE) {
    const some = rows.slice(start, start + ROWS_PER_MESSAGE);
    const message: ImportMessage = { type: 'import', job: adopting.job, line: line + start + 1, rows: some };
    messages.push(JSON.stringify(message));
  }
  const refused = messages.length === 0 ? new Set() : await adopting.ports.send(messages);
  if (refused.size > 0)
    throw new HubError(
      'enqueue-failure',
      `The imports queue did not accept ${refused.size} messages. The slice is repeated automatically.`,
      { retry: 'later' },
    );
};

type Unknown = Extract<Judged, { fate: 'linked' }>;

const importRow = (
  { sync, rules, job, by, startedAt }: Adopting,
  { record, names }: Unknown,
): CommandMessage => {
  const { profile } = reportedProfile(
    firstInboundValues(rules.mapping.contact.fields, { values: {} }, record.fields),
    undefined,
  );
  return {
    ...{ type: 'command', command: 'import', id: `adopt:${job}:${record.id}`, at: startedAt, by },
    ...{ identifiers: [...names], references: [referenceTo(sync.scope, record.id)], adoptedFrom: sync.crm },
    ...{ profile: profile ?? {}, consent: {}, preferences: {} },
  };
};

const foundRow = ({ sync, rules }: Adopting, { record }: Unknown): InteractionMessage => {
  const { object, fields } = rules.mapping.contact;
  const inbound = firstInboundValues(fields, { values: {} }, record.fields);
  return crmInteraction(sync, { object, record, act: 'found', at: record.modifiedAt, inbound });
};

/** One review for each customer whom the hub knows and who may have several records. */
const askPeople = async ({ sync, session, rules }: Adopting, page: readonly Judged[]): Promise<void> => {
  const contacts: Contacts = { ids: new Map(), waiting: new Map(), refused: new Map() };
  const asked = new Set<string>();
  for (const one of page) {
    if (one.fate !== 'ambiguous' || one.why !== 'shared-address' || one.subject === undefined) continue;
    const { subject, records } = one;
    const { customer, state, view } = subject;
    const hasContact = state.record !== undefined && state.goneAt === undefined;
    const isOpen = !hasContact && state.undecidedSince === undefined && !asked.has(customer.id);
    if (!isOpen || customer.guest || !rules.mapping.contact.includes(view)) continue;
    asked.add(customer.id);
    const choice = records.map((id) => ({ id }));
    await openRecordReview({ ports: sync, session, rules, contacts }, subject, choice);
  }
};
