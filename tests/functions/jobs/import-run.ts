import { expect } from 'vitest';
import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { fileKey, type Job, type ReportedRows } from '../../../functions/contracts/jobs/job.ts';
import type { CustomersParameters } from '../../../functions/contracts/jobs/kinds.ts';
import { ImportMessage } from '../../../functions/contracts/messages/record.ts';
import type { Checkpoint } from '../../../functions/jobs/import/checkpoint.ts';
import type { ImportPorts } from '../../../functions/jobs/import/import.ts';

const NOW = Date.parse('2026-03-02T09:00:00Z');
const identity = IdentityConfig.parse({});

/** A bucket and a queue in memory. */
export const surroundings = (file: string | Uint8Array) => {
  const bucket = new Map<string, Uint8Array>([
    [fileKey('j'), typeof file === 'string' ? Buffer.from(file) : file],
  ]);
  const rows = new Map<string, string>();
  const ports: ImportPorts = {
    async read(key, from, length) {
      const bytes = Buffer.from(bucket.get(key) ?? []);
      return { bytes: bytes.subarray(from, from + length), size: bytes.length };
    },
    put: async (key, bytes) => void bucket.set(key, bytes),
    async send(messages) {
      for (const message of messages)
        for (const row of ImportMessage.parse(JSON.parse(message)).rows)
          if (row.type === 'command') {
            const text = JSON.stringify(row);
            expect(rows.get(row.id) ?? text).toBe(text);
            rows.set(row.id, text);
          }
      return new Set();
    },
    waiting: async () => 0,
    identity: async () => identity,
    now: () => NOW,
  };
  return { ports, bucket, rows };
};

/** Executes the slices of a job to its end; those for which `breaks` is true are repeated. Resolves to the sums of all. */
export const run = async (
  job: Job<CustomersParameters, Checkpoint>,
  parameters: CustomersParameters,
  breaks: () => boolean = () => false,
) => {
  let { checkpoint } = await job.start(parameters);
  const reported: ReportedRows = [];
  const told = { done: 0, refused: 0, incomplete: 0, total: 0, parts: 0, slices: 0, reported };
  for (;;) {
    const startedAt = new Date(NOW).toISOString();
    const asked = { job: 'j', by: 'ada', startedAt, parameters, checkpoint, timeLeft: () => true };
    const result = await job.slice(asked);
    told.slices++;
    if (told.slices > 500) throw new Error('It does not come to its end.');
    // A slice that breaks off after all it did, before that was saved, is done again.
    if (breaks()) continue;
    checkpoint = job.checkpoint.parse(JSON.parse(JSON.stringify(result.checkpoint)));
    told.done += result.done;
    told.refused += result.refused ?? 0;
    told.incomplete += result.incomplete ?? 0;
    told.reported = result.reported ?? told.reported;
    told.total = result.total ?? told.total;
    told.parts = result.refusedParts ?? told.parts;
    if (result.finished) return told;
  }
};
