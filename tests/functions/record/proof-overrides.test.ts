import { describe, expect, it } from 'vitest';
import { providerIds } from '../../../connectors/registry.ts';
import { parseConfigFile } from '../../../core/config/config-file.ts';
import { IdentityConfig, identityConfigFor } from '../../../core/identity/identity-config.ts';
import { type ProviderInteraction, toInteraction } from '../../../functions/record/messages/decode.ts';

const order: ProviderInteraction = {
  ...{ key: 'o1', provider: 'shopify', kind: 'order', channel: 'web', direction: 'inbound' },
  identifiers: ['shopify:1', 'email:ada@example.com', 'anonymous:d1'],
  claimed: ['email:ada@example.com', 'anonymous:d1'],
};

const claimedWith = (proof: IdentityConfig['proof'], interaction = order): readonly string[] =>
  toInteraction(interaction, '2026-03-02T09:00:00.000Z', IdentityConfig.parse({ proof })).claimed ?? [];

describe('`proof` in identity.yaml', () => {
  it('leaves a provider that it does not name to the mapping', () => {
    expect(claimedWith({ segment: 'proven' })).toEqual(['email:ada@example.com', 'anonymous:d1']);
  });

  it('makes everything of a provider proven but devices', () => {
    expect(claimedWith({ shopify: 'proven' })).toEqual(['anonymous:d1']);
  });

  it('makes everything of a provider claimed', () => {
    expect(claimedWith({ shopify: 'claimed' })).toEqual([
      'shopify:1',
      'email:ada@example.com',
      'anonymous:d1',
    ]);
  });

  it('decides about what an identifier becomes too', () => {
    const moved = { ...order, becomes: ['phone:+14155550100'] };
    expect(claimedWith({ shopify: 'claimed' }, moved)).toContain('phone:+14155550100');
    expect(claimedWith({ shopify: 'proven' }, moved)).toEqual(['anonymous:d1']);
  });

  it('decides about one account before the provider', () => {
    const proof = { shopify: 'claimed', 'shopify/outlet': 'proven' } as const;
    expect(claimedWith(proof, { ...order, account: 'outlet' })).toEqual(['anonymous:d1']);
    expect(claimedWith(proof, { ...order, account: 'main' })).toHaveLength(3);
    expect(claimedWith({ 'shopify/outlet': 'claimed' }, { ...order, account: 'main' })).toHaveLength(2);
    expect(claimedWith({ 'shopify/outlet': 'claimed' })).toHaveLength(2);
  });

  const parse = (yaml: string) =>
    parseConfigFile('mappings/identity.yaml', yaml, identityConfigFor(providerIds));

  it('names providers of the hub, and their accounts', () => {
    expect(parse('proof: { segment: proven, shopify/eu: claimed }').proof).toEqual({
      segment: 'proven',
      'shopify/eu': 'claimed',
    });
  });

  it.each([
    ['proof:\n  segmnt: proven', '2: proof.segmnt: the hub has no provider segmnt; did you mean segment?'],
    [
      'proof:\n  shopfy/eu: claimed',
      '2: proof.shopfy/eu: the hub has no provider shopfy; did you mean shopify?',
    ],
    [
      'proof:\n  carrier-pigeon: proven',
      '2: proof.carrier-pigeon: the hub has no provider carrier-pigeon; the README lists them',
    ],
  ])('refuses an unknown provider: %j', (yaml, fault) => {
    expect(() => parse(yaml)).toThrow(`mappings/identity.yaml:${fault}`);
  });
});
