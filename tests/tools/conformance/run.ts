import { glob, readFile } from 'node:fs/promises';
import { mappingOf } from '../../../connectors/registry.ts';
import { decode } from '../../../functions/record/messages/decode.ts';
import { Case, caseBody, caseProvider } from '../../../infra/scenario/webhook-case/case.ts';
import { type ReceivedCase, receiveCase } from '../../../infra/scenario/webhook-case/receive-case.ts';
import { gradeAnswer, gradeEvents } from './grade.ts';

export interface Graded {
  readonly file: string;
  readonly differences: readonly string[];
}

/** Every webhook case below some folders, in the order of their paths. */
export const gradeFolders = async (folders: readonly string[]): Promise<Graded[]> => {
  const files: string[] = [];
  for (const folder of folders) for await (const file of glob(`${folder}/**/*.json`)) files.push(file);
  const graded: Graded[] = [];
  for (const file of files.sort()) graded.push({ file, differences: await gradeFile(file) });
  return graded;
};

const gradeFile = async (file: string): Promise<string[]> => {
  const read = Case.safeParse(JSON.parse(await readFile(file, 'utf8')));
  if (!read.success)
    return [
      `this is not a case: ${read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`,
    ];
  const one = read.data;
  const provider = caseProvider(one);
  const mapping = mappingOf(provider);
  if (mapping === undefined) return [`the provider ${provider} is not built yet`];
  const { answer, queued } = one.method === 'LAMBDA' ? eventCase(one) : await receiveCase(one);
  const [message] = queued;
  const accepted = answer.status < 400;
  if (accepted !== one.expected.accept)
    return [`expected ${one.expected.accept ? 'accept' : 'reject'}, found ${answer.status}`];
  const differences =
    accepted && one.expected.httpResponse ? gradeAnswer(one.expected.httpResponse, answer) : [];
  if (one.expected.signatureOnly === true || !accepted) return differences;
  if (message === undefined) return [...differences, ...gradeEvents(one.expected.events ?? [], [], provider)];
  try {
    const { interactions } = await decode(mapping, message, caseBody(one));
    const decoded = interactions.map(({ provider: _provider, account: _account, ...rest }) => rest);
    return [...differences, ...gradeEvents(one.expected.events ?? [], decoded, provider)];
  } catch (error) {
    return [...differences, `decoding failed: ${reasonOf(error)}`];
  }
};

const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
};

/** A case that comes over EventBridge, whose rule hands it to the queue: nothing but IAM stands before it. */
const eventCase = (one: Case): Pick<ReceivedCase, 'answer' | 'queued'> => ({
  answer: { status: 200 },
  queued: [
    {
      type: 'delivery',
      id: one.case,
      provider: caseProvider(one),
      receivedAt: '2026-03-01T00:00:00.000Z',
      request: { method: 'EVENT', url: '', headers: {} },
    },
  ],
});
