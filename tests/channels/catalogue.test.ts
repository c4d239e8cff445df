import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../infra/bundle.ts';
import { catalogue, withCatalogue } from '../../infra/catalogue.ts';
import { merged } from '../../infra/cli/connect.ts';

describe('the catalogue', () => {
  it('stands in the README as the code has it; else: npm run generate', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8');
    expect(readme === withCatalogue(readme), 'run `npm run generate`').toBe(true);
  });

  it('names for each provider what an admin must know', () => {
    for (const { connector, mapping } of catalogue()) {
      expect(connector.docs).toMatch(/^https:\/\//u);
      expect(mapping.channels.length * mapping.kinds.length).toBeGreaterThan(0);
      for (const { about } of Object.values(connector.secrets)) expect(about).not.toBe('');
    }
  });
});

describe('the secrets of a route', () => {
  const stored = { token: ['old', 'older'], other: ['kept'] };

  it('are replaced, kept beside during a rotation, and the old ones dropped after it', () => {
    expect(merged(stored, { token: ['new'] }, {})).toEqual({ token: ['new'], other: ['kept'] });
    const rotated = merged(stored, { token: ['new'] }, { rotate: true });
    expect(rotated).toEqual({ token: ['new', 'old'], other: ['kept'] });
    expect(merged(rotated, {}, { dropOld: true })).toEqual({ token: ['new'], other: ['kept'] });
  });

  it('are never empty, and the same one is kept once', () => {
    expect(merged({}, { token: [''] }, {})).toEqual({});
    expect(merged(stored, { token: ['old'] }, { rotate: true })).toMatchObject({ token: ['old'] });
  });
});
