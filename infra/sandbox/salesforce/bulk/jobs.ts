import type { Fields } from '../../protocol/sandbox.ts';
import type { Caller } from '../data/change.ts';
import type { Org } from '../data/org.ts';
import { type Load, LoadError, type Loaded, load } from './load.ts';

export const delimiters = {
  COMMA: ',',
  BACKQUOTE: '`',
  CARET: '^',
  PIPE: '|',
  SEMICOLON: ';',
  TAB: '\t',
} as const;
type Delimiter = keyof typeof delimiters;
type State = 'Open' | 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Failed' | 'Aborted';

export interface IngestJob {
  readonly id: string;
  readonly load: Load;
  readonly columnDelimiter: Delimiter;
  readonly lineEnding: 'LF' | 'CRLF';
  readonly createdDate: string;
  state: State;
  csv?: string;
  loaded?: Loaded;
  errorMessage?: string;
  /** How often its state is still asked for before it is complete. */
  pollsLeft: number;
}

export interface QueryJob {
  readonly id: string;
  readonly operation: 'query' | 'queryAll';
  readonly query: string;
  readonly object: string;
  readonly createdDate: string;
  readonly records: readonly Fields[];
  readonly header: readonly string[];
  state: State;
  pollsLeft: number;
}

/** Bulk jobs. `polls`: how often the state of a job is asked for before it is complete. */
export class Jobs {
  readonly ingest = new Map<string, IngestJob>();
  readonly queries = new Map<string, QueryJob>();
  readonly polls: number;

  constructor(polls: number) {
    this.polls = polls;
  }
}

/** Jobs that can still be aborted. */
export const isUnfinished = ({ state }: IngestJob | QueryJob): boolean =>
  ['Open', 'UploadComplete', 'InProgress'].includes(state);

/** The state is asked for once more: the work is done when it has been asked for often enough. */
export const poll = (job: IngestJob | QueryJob, work: () => void = () => undefined): void => {
  if (job.state !== 'UploadComplete' && job.state !== 'InProgress') return;
  if (job.pollsLeft-- > 0) {
    job.state = 'InProgress';
    return;
  }
  work();
  job.state = 'errorMessage' in job && job.errorMessage !== undefined ? 'Failed' : 'JobComplete';
};

/** Does the work of an ingest job. */
export const process = (org: Org, caller: Caller, job: IngestJob): void => {
  try {
    job.loaded = load(org, caller, job.load, job.csv ?? '');
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    job.errorMessage = error.message;
  }
};
