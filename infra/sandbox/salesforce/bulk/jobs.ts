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

/** Does the work of an ingest job; its state is told when it has been asked for often enough. */
export const process = (org: Org, caller: Caller, job: IngestJob): void => {
  job.state = 'UploadComplete';
  try {
    job.loaded = load(org, caller, job.load, job.csv ?? '');
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    job.errorMessage = error.message;
  }
};

/** The state is asked for once more. */
export const poll = (job: IngestJob | QueryJob): void => {
  if (job.state !== 'UploadComplete' && job.state !== 'InProgress') return;
  const failed = 'errorMessage' in job && job.errorMessage !== undefined;
  job.state = job.pollsLeft > 0 ? 'InProgress' : failed ? 'Failed' : 'JobComplete';
  job.pollsLeft--;
};
