import { runScenarioFile } from '../../infra/scenario/run.ts';
import { type Assembly, assembly } from '../../infra/stack/assembly.ts';
import { readSeed } from '../../infra/stack/seed.ts';
import { isPrintingLogs } from './print-log.ts';

export const usage = `Usage: hub scenario FILE…

Runs scenario files through the whole pipeline on a virtual clock. Prints a line for each file and the differences between
the expected and the actual end below it. The exit code is 1 where a file fails.

HUB_LOG=1 prints what the functions log. HUB_TRACE=1 also prints a line for each message that reaches a function.`;

/** `hub scenario FILE…` */
export const run = async (files: readonly string[]): Promise<number> => {
  if (files.length === 0) {
    console.error(usage);
    return 2;
  }
  // A fault of the folder of configuration is a sentence, before what the functions log is not printed.
  readSeed();
  const synthesised = await assembly();
  const { info, warn, error } = console;
  if (!isPrintingLogs()) Object.assign(console, { info: silent, warn: silent, error: silent });
  try {
    return await runAll(files, synthesised);
  } finally {
    Object.assign(console, { info, warn, error });
  }
};

const runAll = async (files: readonly string[], synthesised: Assembly): Promise<number> => {
  let failed = 0;
  for (const file of files) {
    const { name, lines } = await runScenarioFile(file, { assembly: synthesised }).catch(
      (error: unknown) => ({
        name: file,
        lines: (error instanceof Error ? error.message : String(error)).split('\n'),
      }),
    );
    console.log(`${lines.length === 0 ? 'ok' : 'not ok'} ${name}`);
    for (const line of lines) console.log(`  ${line}`);
    if (lines.length > 0) failed++;
  }
  console.log(`${files.length - failed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
};

const silent = (): void => {};
