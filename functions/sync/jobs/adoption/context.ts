import { identifiersIn } from '../../../../core/crm/adoption.ts';
import type { CrmSession, HeldRecord, ListedPage } from '../../../../core/crm/connector.ts';
import type { Identifier } from '../../../../core/identity/identifier.ts';
import { usableIdentifiers } from '../../../../core/identity/normalise.ts';
import type { Directory } from '../../../aws/customers/lists/directory.ts';
import type { AdoptParameters } from '../../../contracts/jobs/kinds.ts';
import type { Rules } from '../../contacts/subjects.ts';
import type { Writing } from '../../contacts/write.ts';
import type { SyncPorts } from '../../ports.ts';
import type { PauseAfter } from '../pause.ts';
import type { AdoptionCheckpoint } from './checkpoint.ts';
import type { AdoptionNotes } from './holders.ts';

/** What the job that adopts a CRM needs. */
export interface AdoptionPorts {
  readonly notes: (job: string) => AdoptionNotes;
  readonly directory: Directory;
  /** Queues messages of the imports queue; resolves to the positions of those that the queue refused. */
  readonly send: (messages: readonly string[]) => Promise<ReadonlySet<number>>;
  /** Approximate number of messages in the imports queue, those in flight included. */
  readonly waiting: () => Promise<number>;
  readonly put: (key: string, bytes: Uint8Array) => Promise<void>;
  readonly pauseAfter: PauseAfter;
}

/** What the passes of one slice share. */
export interface Adopting {
  readonly ports: AdoptionPorts;
  readonly sync: SyncPorts;
  readonly session: CrmSession;
  readonly rules: Rules;
  readonly notes: AdoptionNotes;
  readonly job: string;
  readonly by: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly parameters: AdoptParameters;
  /** False once the slice must end. */
  readonly timeLeft: () => boolean;
}

/** Where a job continues. `afterSeconds`: the checkpoint must be stored first, and so many seconds pass. */
export interface Step {
  readonly checkpoint: AdoptionCheckpoint;
  readonly afterSeconds?: number | undefined;
  /** Set at the end of the last pass. */
  readonly isLast?: boolean;
}

/** A pass reads one page and returns where the job continues. */
export type Pass = (adopting: Adopting, checkpoint: AdoptionCheckpoint) => Promise<Step>;

/** The next page of the CRM's contacts, with the fields of the mapping. */
export const readPage = (adopting: Adopting, cursor: string | undefined): Promise<ListedPage> => {
  const { sync, session, rules } = adopting;
  return session.list(rules.mapping.contact.object, fieldsOf(adopting), cursor, sync.call);
};

/** The fields that are read of a contact. */
export const fieldsOf = ({ rules }: Pick<Adopting, 'rules'>): string[] => {
  const { key, fields } = rules.mapping.contact;
  return [...new Set([...fields.writes.keys(), key])];
};

/** What writes contacts of a page, and notes what became of them. */
export const writingOf = ({ sync, session, rules }: Adopting): Writing => ({
  ...{ ports: sync, session, rules },
  contacts: { ids: new Map(), waiting: new Map(), refused: new Map() },
});

/** The identifiers by which a record says whose it is. */
export const identifiersOf = ({ rules }: Adopting, record: HeldRecord): Identifier[] => {
  const { match, identifierFields } = rules.mapping.contact;
  const others = match.flatMap((type) => {
    const field = type === 'email' || type === 'phone' ? undefined : identifierFields.get(type);
    const value = field === undefined ? undefined : record.fields[field];
    return value === undefined || value === null || value === '' ? [] : [`${type}:${String(value)}`];
  });
  return usableIdentifiers([...identifiersIn(record), ...others], rules.identity);
};

/** The step at the end of a page: to the next one, or to the beginning of the next pass. */
export const after = (
  checkpoint: AdoptionCheckpoint,
  { next, afterSeconds }: { readonly next?: string; readonly afterSeconds?: number },
  following: AdoptionCheckpoint['pass'],
): Step => {
  const { cursor: _, ...rest } = checkpoint;
  return {
    checkpoint: next === undefined ? { ...rest, pass: following } : { ...rest, cursor: next },
    ...{ afterSeconds, isLast: next === undefined && following === checkpoint.pass },
  };
};
