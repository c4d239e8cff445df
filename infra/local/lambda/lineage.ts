import { createHash } from 'node:crypto';

/** So often a function may appear in one chain of calls; Lambda stops the next one. */
export const LONGEST_CHAIN = 16;

/** Trace headers are texts of clients: a lineage that is longer than any chain here is not read. */
const LONGEST_HEADER = 1024;

const hashOf = (functionName: string): string =>
  createHash('sha256').update(functionName).digest('hex').slice(0, 8);

/** How often each function, by its hash, was invoked in the chain that a trace header stands for. */
const countsOf = (header: string | undefined): Map<string, number> => {
  const lineage = /(?:^|;)Lineage=([^;]*)/u.exec((header ?? '').slice(0, LONGEST_HEADER))?.[1] ?? '';
  return new Map(
    lineage.split('|').flatMap((entry) => {
      const [, hash, count] = /^\d+:([\da-f]{8}):(\d{1,5})$/u.exec(entry) ?? [];
      return hash === undefined ? [] : [[hash, Number(count)] as const];
    }),
  );
};

/** How often a function was invoked in the chain so far. */
export const timesInvoked = (header: string | undefined, functionName: string): number =>
  countsOf(header).get(hashOf(functionName)) ?? 0;

/** The header under which a function runs: the chain that led to it, with one more invocation of it. */
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
