import { CasesState } from '../../../core/crm/cases.ts';
import { SyncState } from '../../../core/crm/state.ts';
import { rowReader } from './row.ts';

/** Earlier releases kept a digest of all fields: what each side had is not known of such a contact, so it is read first. */
const Stored = SyncState.transform(({ contact, hash: _hash, written: _written, held: _held, ...state }) => ({
  ...state,
  ...(state.record === undefined && typeof contact === 'string' && { record: contact }),
}));

/** What the hub knows of a source profile's contact in one CRM. */
export const syncStateOf = rowReader(Stored);

/** The cases of a source profile in one CRM. */
export const casesOf = rowReader(CasesState);
