import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bundle } from '../../infra/stack/bundle.ts';
import { budgetOf } from '../tools/bench/bundles.ts';

it('every function stays within the budget of its bundle', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-bundles-'));
  try {
    const sizes = Object.entries(await bundle(folder));
    expect(sizes.length).toBeGreaterThan(8);
    const over = sizes.filter(([name, bytes]) => bytes / 1024 > budgetOf(name));
    expect(over.map(([name, bytes]) => `${name}: ${Math.round(bytes / 1024)} KB`)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
