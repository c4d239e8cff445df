import { runScenario } from '../../infra/scenario/run.ts';
import { assembly } from '../../infra/stack/assembly.ts';

/** `hub scenario FILE…`: one line per story, differences below it, the count last. */
export const scenarioCommand = async (files: readonly string[]): Promise<number> => {
  if (files.length === 0) {
    console.error('hub scenario FILE…');
    return 2;
  }
  // What the functions log belongs to them, not to the story; HUB_LOG=1 shows it.
  if (process.env['HUB_LOG'] === undefined)
    Object.assign(console, { info: silent, warn: silent, error: silent });
  const synthesised = await assembly();
  let failed = 0;
  for (const file of files) {
    const { name, lines } = await runScenario(file, { assembly: synthesised }).catch((error: unknown) => ({
      name: file,
      lines: (error instanceof Error ? error.message : String(error)).split('\n'),
    }));
    console.log(`${lines.length === 0 ? 'ok' : 'not ok'} ${name}`);
    for (const line of lines) console.log(`  ${line}`);
    if (lines.length > 0) failed++;
  }
  console.log(`${files.length - failed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
};

const silent = (): void => {};
