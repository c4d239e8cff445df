import { explanations } from '../../../core/failure.ts';
import { stages } from '../../../functions/contracts/stages/index.ts';

/** `docs/failures.md`, from the code that it tells of. */
export const failuresPage = (): string => `# When something fails

<!-- Written by tests/hub/failures/page.test.ts from core/failure.ts; run it with UPDATE=1 to write it anew. -->

Nothing that the hub has acknowledged is lost. What cannot be done becomes a **failure**: a row that says why, and what to do, with the payload beside it. Failures come from three places:

- a function **refused** a piece of work for good and said why (an unreadable delivery, a record that the CRM does not take, a message that every sender refused);
- a **queue gave up** a message after five tries; the reason is that of the last try;
- **EventBridge or its scheduler** could not put something on a queue.

Every dead-letter queue is drained at once, so nothing expires there. One piece of work is one row, however often it is told. The payload lies in the hub's bucket under \`failures/<stage>/<id>\`, never in the table or a log. Row and payload are kept for 180 days after the last failure.

\`\`\`
hub failures list --stage record
hub failures show ID
hub failures edit ID               # in $EDITOR; a delivery's body is shown as text
hub failures replay ID
hub failures replay --all --code unreadable
hub failures dismiss ID
\`\`\`

Replaying puts the payload back on the queue of its stage. Done twice, by a double click or by two people, it counts once. If it fails again, the same row is opened again and counts one more. Replaying many is a job: \`hub jobs list\` shows how far it is, and it replays nothing that fails while it runs. A body above the queue's limit lies under \`deliveries/\` for 14 days; a delivery that large cannot be replayed later than that. A notification that is replayed chooses its channel anew, by the consent and the addresses that hold then.

## Stages

| stage | what is on its queue |
|---|---|
${Object.entries(stages)
  .map(([id, { title }]) => `| \`${id}\` | ${title} |`)
  .join('\n')}

## Codes

| code | what it means | what to do |
|---|---|---|
${Object.entries(explanations)
  .map(([code, { means, act }]) => `| \`${code}${code.endsWith('-') ? '…' : ''}\` | ${means} | ${act} |`)
  .join('\n')}
`;
