import { writeChanges } from '../../contacts/contacts.ts';
import { adoptedOf, changesOf } from './adopted.ts';
import { beginBulk, linkInBulk } from './bulk.ts';
import { after, type Pass, readPage, writingOf } from './context.ts';
import { noteOutcomes } from './outcomes.ts';

/** Writes the hub's keys, and what records lack, to the records of the customers whom the hub knows by now. */
export const linkPass: Pass = async (adopting, checkpoint) => {
  const { session, job } = adopting;
  const { bulk, counts } = checkpoint;
  if (session.bulkWrites !== undefined && bulk !== 'failed') {
    if (bulk !== undefined) return linkInBulk(adopting, session.bulkWrites, checkpoint, bulk);
    if (counts.linked >= session.bulkWrites.from) return beginBulk(adopting, session.bulkWrites, checkpoint);
  }
  const listed = await readPage(adopting, checkpoint.cursor);
  const adopted = await adoptedOf(adopting, listed.records);
  const writing = writingOf(adopting);
  await writeChanges(writing, await changesOf(writing, adopted, job));
  const subjects = adopted.map(({ subject }) => subject);
  await noteOutcomes(adopting, subjects, writing.contacts);
  return after(checkpoint, listed, 'link');
};
