import { existsSync, globSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { connectorOf, mappingOf, providerIds } from '../../connectors/registry.ts';
import { goodCases } from '../support/cases.ts';
import { gradeFolders } from '../tools/conformance/run.ts';
import { altered, checks } from './contract/checks.ts';
import { deliver, schemeOf, subjectOf } from './contract/subject.ts';

// Every good fixture of every provider goes through every check. A vendor adds fixtures and no test.

vi.mock('node:crypto', async (original) =>
  (await import('./contract/comparisons.ts')).recording(await original<typeof import('node:crypto')>()),
);

const subjects = goodCases.filter(({ one }) => one.method !== 'LAMBDA').map(subjectOf);

describe.each(Object.entries(checks))('every provider %s', (_, check) => {
  it.each(subjects.map((subject) => [subject.name, subject] as const))('%s', async (_name, subject) => {
    expect(await check(subject)).toEqual([]);
  });
});

const HOUR = 3600;

describe('the tolerance of a signed time', () => {
  // As long as the vendor retries without signing anew, plus an hour for clocks; or as long as it prescribes.
  it.each([
    ['sendgrid', 'events', 25 * HOUR],
    ['sendgrid', 'mail', 73 * HOUR],
    ['vonage', 'parameters', 25 * HOUR],
    ['vonage', 'token', 25 * HOUR],
    ['vonage', 'receipt', 73 * HOUR],
    ['bird', 'hmac', 9 * HOUR],
    ['mailgun', 'hmac', 9 * HOUR],
    ['apple', 'token', HOUR],
    ['zendesk', 'hmac', HOUR],
    ['discord', 'ed25519', 900],
    ['slack', 'hmac', 300],
    ['stripe', 'timed', 300],
    ['standard', 'standard', 300],
    ['messagebird', 'hmac', 100],
  ] as const)('of %s (%s) is %i seconds', (provider, scheme, toleranceSeconds) => {
    expect(connectorOf(provider).schemes[scheme]?.time).toEqual({ toleranceSeconds });
  });
});

describe('the fixtures', () => {
  const folders = globSync(new URL('../fixtures/*/', import.meta.url).pathname);

  it('hold a good request of every scheme of every provider', async () => {
    const found = new Set<string>();
    for (const subject of subjects) found.add(`${subject.connector.id} ${await schemeOf(subject)}`);
    const declared = providerIds.flatMap((id) =>
      Object.keys(connectorOf(id).schemes).map((scheme) => `${id} ${scheme}`),
    );
    expect(declared.filter((scheme) => !found.has(scheme))).toEqual([]);
  });

  it('hold a good request for every required secret that a wrong value of it turns away', async () => {
    const found = new Set<string>();
    for (const subject of subjects)
      for (const name of Object.keys(subject.secrets)) {
        const { verdict } = await deliver(subject, {
          secrets: (stored) => ({ ...stored, [name]: (stored[name] ?? []).map(altered) }),
        });
        if (verdict?.verdict === 'refused') found.add(`${subject.connector.id} ${name}`);
      }
    const required = providerIds.flatMap((id) =>
      Object.entries(connectorOf(id).secrets).flatMap(([name, { optional }]) =>
        optional === true ? [] : [`${id} ${name}`],
      ),
    );
    expect(required.filter((secret) => !found.has(secret))).toEqual([]);
  });

  it('become what they say', async () => {
    const graded = await gradeFolders(folders.filter((folder) => existsSync(folder)));
    expect(graded.flatMap(({ file, differences }) => differences.map((one) => `${file}: ${one}`))).toEqual(
      [],
    );
  });
});

describe('the registry', () => {
  it('names each connector and each mapping by its own id', () => {
    for (const id of providerIds) expect([connectorOf(id).id, mappingOf(id).id]).toEqual([id, id]);
    expect(providerIds).toEqual(providerIds.toSorted());
  });

  it.each(['', 'nobody', 'constructor', '__proto__'])('has no provider %j', (id) => {
    expect([connectorOf(id), mappingOf(id)]).toEqual([undefined, undefined]);
  });
});
