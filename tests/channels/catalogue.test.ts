import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { providerCatalogue } from '../../cli/deployment/provider-catalogue.ts';
import { updateSecretValues } from '../../cli/deployment/secret-values.ts';
import { connectorOf, mappingOf, providerIds } from '../../connectors/registry.ts';
import { identifierType, identifierTypes } from '../../core/identity/identifier.ts';
import { deliveryOf } from '../../functions/record/messages/decode.ts';
import { Case, caseBody } from '../../infra/scenario/webhook-case/case.ts';
import { receiveMessage } from '../../infra/scenario/webhook-case/receive-case.ts';
import { root } from '../../infra/stack/bundle.ts';

describe('the catalogue', () => {
  it('of identifiers names every type that a recorded webhook has, but those of a provider', async () => {
    const known = new Set([...Object.keys(identifierTypes), ...providerIds]);
    for (const file of globSync(join(root, 'tests', 'fixtures', '**', '*.json'))) {
      const read = Case.safeParse(JSON.parse(readFileSync(file, 'utf8')));
      if (!read.success || read.data.expected.accept === false || read.data.method !== 'POST') continue;
      const message = await receiveMessage(read.data);
      const mapping = message && mappingOf(message.provider);
      if (mapping === undefined || message === undefined) continue;
      const { interactions } = await mapping.decode(deliveryOf(message, caseBody(read.data)));
      const types = interactions.flatMap(({ identifiers }) => identifiers.map(identifierType));
      expect(
        types.filter((type) => !known.has(type)),
        file,
      ).toEqual([]);
    }
  });

  it('names the hosts that the hub may ask by their whole names', () => {
    for (const provider of providerIds) {
      const { content, documents } = connectorOf(provider) ?? {};
      for (const { source } of [content?.hosts, documents?.hosts].filter((one) => one !== undefined)) {
        expect([source.at(0), source.at(-1)], provider).toEqual(['^', '$']);
        let outside = source;
        while (outside.includes('(')) outside = outside.replace(/\([^()]*\)/gu, '');
        expect(outside, provider).not.toContain('|');
      }
    }
  });

  it('names for each provider what an admin must know', () => {
    for (const { connector, mapping } of providerCatalogue()) {
      expect(connector.docs).toMatch(/^https:\/\//u);
      expect(mapping.channels.length * mapping.kinds.length).toBeGreaterThan(0);
      for (const { about } of Object.values(connector.secrets)) expect(about).not.toBe('');
    }
  });
});

describe('the secrets of a route', () => {
  const stored = { token: ['old', 'older'], other: ['kept'] };

  it('are replaced, kept beside during a rotation, and the old ones dropped after it', () => {
    expect(updateSecretValues(stored, { token: ['new'] }, {})).toEqual({ token: ['new'], other: ['kept'] });
    const rotated = updateSecretValues(stored, { token: ['new'] }, { rotate: true });
    expect(rotated).toEqual({ token: ['new', 'old'], other: ['kept'] });
    expect(updateSecretValues(rotated, {}, { dropOld: true })).toEqual({ token: ['new'], other: ['kept'] });
  });

  it('are never empty, and the same one is kept once', () => {
    expect(updateSecretValues({}, { token: [''] }, {})).toEqual({});
    expect(updateSecretValues(stored, { token: ['old'] }, { rotate: true })).toMatchObject({
      token: ['old'],
    });
  });
});
