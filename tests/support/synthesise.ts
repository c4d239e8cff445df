import { assembly } from '../../infra/stack/assembly.ts';

/** The template is synthesised once, before the tests that run it begin. */
export default async (): Promise<void> => {
  await assembly();
};
