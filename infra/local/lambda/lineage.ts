import { createHash } from 'node:crypto';
import type { LambdaFunction } from './function.ts';

/** The most invocations of one function in a chain; Lambda stops the next one. */
export const LONGEST_CHAIN = 16;

/** The part of a trace header that is parsed. Clients can send longer ones. */
const LONGEST_HEADER = 1024;

const hashOf = (functionName: string): string =>
  createHash('sha256').update(functionName).digest('hex').slice(0, 8);

/** The number of invocations in the chain of a trace header, by the hash of the function. */
const countsOf = (header: string | undefined): Map<string, number> => {
  const lineage = /(?:^|;)Lineage=([^;]*)/u.exec((header ?? '').slice(0, LONGEST_HEADER))?.[1] ?? '';
  return new Map(
    lineage.split('|').flatMap((entry) => {
      const [, hash, count] = /^\d+:([\da-f]{8}):(\d{1,5})$/u.exec(entry) ?? [];
      return hash === undefined ? [] : [[hash, Number(count)] as const];
    }),
  );
};

/** The number of invocations of a function in the chain of a trace header. */
export const timesInvoked = (header: string | undefined, functionName: string): number =>
  countsOf(header).get(hashOf(functionName)) ?? 0;

/** The trace header of an invocation: the chain of its caller with one more invocation of the function. */
export const invokedBy = (header: string | undefined, functionName: string, requestId: string): string => {
  const counts = countsOf(header);
  const hash = hashOf(functionName);
  counts.set(hash, (counts.get(hash) ?? 0) + 1);
  const root = /(?:^|;)Root=(1-[\da-f]{8}-[\da-f]{24})/u.exec(header ?? '')?.[1];
  const digits = requestId.replaceAll('-', '').padEnd(32, '0');
  const own = `1-${digits.slice(0, 8)}-${digits.slice(8, 32)}`;
  const lineage = [...counts].map(([name, count]) => `1:${name}:${count}`).join('|');
  return `Root=${root ?? own};Parent=${digits.slice(16, 32)};Sampled=0;Lineage=${lineage}`;
};

/** Whether Lambda stops an invocation, because its chain is too long and the function does not allow loops. */
export const isLoop = ({ name, mayLoop }: LambdaFunction, trace: string | undefined): boolean =>
  !mayLoop && timesInvoked(trace, name) >= LONGEST_CHAIN;

/** The error that reports a stopped chain. */
export const stopped = (name: string): Error =>
  new Error(
    `${name} was invoked ${LONGEST_CHAIN} times in one chain of calls. Lambda stops such a chain, and so does the local runtime. If the function sends to its own queue intentionally, set its RecursiveLoop to Allow.`,
  );
