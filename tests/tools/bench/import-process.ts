import { IdentityConfig } from '../../../core/identity/identity-config.ts';
import { customersKind } from '../../../functions/contracts/jobs/kinds.ts';
import { importJob } from '../../../functions/jobs/import/import.ts';
import { customers } from '../../../functions/jobs/import/listings.ts';

// `import-process.ts ROWS` runs one import in a process of its own, so that the peak of its memory is its own. The file is
// generated while it is read; rows are validated and packed, and the queue accepts every message at once.

const ROW_BYTES = 128;
const header =
  'email,phone,user-id,name.first,name.last,language,tags,trait.size:number,consent.email\n'.padStart(
    ROW_BYTES,
    ' ',
  );
/** A row of fixed length, so that any range of the file can be generated. One of a thousand has no usable identifier. */
const row = (number: number): string => {
  const identifiers =
    number % 1000 === 999
      ? 'unknown,,'
      : `p${number}@example.com,+3906${String(10_000_000 + number)},${number}`;
  return (
    `${identifiers},Ada,"Lovelace, ${number}",it,vip;press,${number % 50}.5,granted`.padEnd(ROW_BYTES - 1) +
    '\n'
  );
};

const total = Number(process.argv[2]);
const size = ROW_BYTES * (total + 1);
const identity = IdentityConfig.parse({});
const sent = { messages: 0, bytes: 0 };
const job = importJob(
  {
    async read(_key, from, length) {
      const first = Math.floor(from / ROW_BYTES);
      const last = Math.min(Math.ceil((from + length) / ROW_BYTES), total + 1);
      const rows = Array.from({ length: last - first }, (_, at) =>
        first + at === 0 ? header : row(first + at - 1),
      );
      const bytes = Buffer.from(rows.join(''));
      const start = from - first * ROW_BYTES;
      return { bytes: bytes.subarray(start, Math.min(start + length, size - first * ROW_BYTES)), size };
    },
    put: async () => {},
    async send(messages) {
      sent.messages += messages.length;
      for (const message of messages) sent.bytes += message.length;
      return new Set();
    },
    waiting: async () => 0,
    identity: async () => identity,
    now: () => Date.now(),
  },
  customersKind,
  customers,
);

const parameters = customersKind.parameters.parse({ format: 'csv' });
const startedAt = new Date().toISOString();
const began = performance.now();
let { checkpoint } = await job.start(parameters);
const sums = { done: 0, refused: 0, slices: 0 };
for (let finished = false; !finished; sums.slices++) {
  const result = await job.slice({
    ...{ job: 'bench', by: 'bench', startedAt, parameters, checkpoint, timeLeft: () => true },
  });
  ({ checkpoint, finished } = result);
  sums.done += result.done;
  sums.refused += result.refused ?? 0;
}
const seconds = (performance.now() - began) / 1000;
const peakMegabytes = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ ...sums, ...sent, perSecond: total / seconds, peakMegabytes }));
