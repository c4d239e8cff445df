import { ImportMessage } from '../messages/record.ts';
import { stage } from './stage.ts';

/** The queue of imports; the function `record` reads it too. */
export const importStage = stage('import', {
  title: 'Rows of imported files on their way to the customer record',
  schema: ImportMessage,
  identity: ({ job, line }) => [job, line],
  about: ({ job }) => ({ job }),
});
