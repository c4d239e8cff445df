import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as z from 'zod';
import type { HubConfig } from '../../core/config/hub-config.ts';
import { type Assembly, assemblyOf } from '../../infra/stack/assembly.ts';
import { synthesiseFromSource } from '../../infra/stack/from-source.ts';

/** The assembly of a hub with other switches than those of `mappings/`. `remove` when the hub has stopped. */
export const synthesiseHub = (
  given: z.input<typeof HubConfig>,
): Assembly & { readonly folder: string; readonly remove: () => void } => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-hub-'));
  synthesiseFromSource(given, folder);
  return { ...assemblyOf(folder), folder, remove: () => rmSync(folder, { recursive: true }) };
};
