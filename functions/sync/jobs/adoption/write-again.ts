import { writeChanges } from '../../contacts/contacts.ts';
import { customersOf, subjectsOf } from '../../contacts/subjects.ts';
import { type Adopted, changesOf } from './adopted.ts';
import { type Adopting, fieldsOf, writingOf } from './context.ts';
import { noteOutcomes } from './outcomes.ts';

/** Writes contacts with what they hold now; those that are gone are left to the live sync, which knows what follows. */
export const writeAgain = async (adopting: Adopting, profileIds: readonly string[]): Promise<void> => {
  const { sync, session, rules, job } = adopting;
  const customers = await customersOf(sync, profileIds);
  const { subjects } = await subjectsOf(sync.links, rules, [...customers.values()]);
  const ids = subjects.flatMap(({ state }) => state.record ?? []);
  const held = await session.read(rules.mapping.contact.object, ids, fieldsOf(adopting), sync.call);
  const present = subjects.flatMap((subject): Adopted[] => {
    const record = held.get(subject.state.record ?? '');
    return record?.id === subject.state.record && record !== undefined ? [{ subject, record }] : [];
  });
  const writing = writingOf(adopting);
  await writeChanges(writing, await changesOf(writing, present, job));
  await noteOutcomes(adopting, subjects, writing.contacts);
  const isPresent = new Set(present.map(({ subject }) => subject.profileId));
  const gone = subjects.filter(({ profileId }) => !isPresent.has(profileId));
  if (gone.length > 0) await sync.queueAgain(gone.map(({ profileId }) => ({ profileId })));
};
