import { describe, expect, it } from 'vitest';
import { mappingOf, type ProviderId, providerIds } from '../../connectors/registry.ts';
import type { DecodedInteraction } from '../../core/interaction/interaction.ts';
import { claimedBy, platformUser, typed, type Vouching, vouchingOf } from '../../core/webhooks/vouching.ts';
import { decode } from '../../functions/record/messages/decode.ts';
import { caseBody } from '../../infra/scenario/webhook-case/case.ts';
import { receiveCase } from '../../infra/scenario/webhook-case/receive-case.ts';
import { type GoodCase, goodCases } from '../support/cases.ts';

// Who vouches: the rows of every mapping against every recorded webhook. The contract suite checks that each identifier
// has a row and follows it.

const ofEventBridge = (provider: string) =>
  ({
    type: 'delivery',
    id: 'e',
    provider,
    receivedAt: '2026-03-02T09:00:00.000Z',
    request: { method: 'EVENT', url: '', headers: {} },
  }) as const;

const interactionsOf = async ({ provider, one }: GoodCase): Promise<readonly DecodedInteraction[]> => {
  const [message] = one.method === 'LAMBDA' ? [ofEventBridge(provider)] : (await receiveCase(one)).queued;
  if (message === undefined) return [];
  const { interactions } = await decode(mappingOf(provider), message, caseBody(one));
  return interactions.map(({ provider: _provider, account: _account, ...decoded }) => decoded);
};

/** What the recorded webhooks made of each row. */
const outcomesOf = async (provider: ProviderId): Promise<ReadonlyMap<Vouching, ReadonlySet<string>>> => {
  const outcomes = new Map<Vouching, Set<string>>();
  for (const good of goodCases.filter((one) => one.provider === provider))
    for (const interaction of await interactionsOf(good))
      for (const identifier of interaction.identifiers) {
        const row = vouchingOf(mappingOf(provider).vouching, interaction, identifier);
        const proof = interaction.claimed?.includes(identifier) === true ? 'claimed' : 'proven';
        if (row !== undefined) outcomes.set(row, (outcomes.get(row) ?? new Set()).add(proof));
      }
  return outcomes;
};

describe.each(providerIds)('who vouches for %s', (provider) => {
  const { vouching, kinds, channels } = mappingOf(provider);

  it('is declared for interactions that the mapping has, with a reason', () => {
    expect(vouching.length).toBeGreaterThan(0);
    for (const { on, why, field } of vouching) {
      expect(kinds).toEqual(expect.arrayContaining([...(on?.kinds ?? [])]));
      expect(channels).toEqual(expect.arrayContaining([...(on?.channels ?? [])]));
      expect(why.length * field.length).toBeGreaterThan(0);
    }
  });

  it('is seen both ways in the fixtures, where a condition decides', async () => {
    const outcomes = await outcomesOf(provider);
    for (const row of vouching.filter(({ proof }) => typeof proof === 'object'))
      expect([row.field, [...(outcomes.get(row) ?? [])].sort()]).toEqual([row.field, ['claimed', 'proven']]);
  });
});

describe('the rows of a mapping', () => {
  const message: DecodedInteraction = {
    ...{ key: 'm1', kind: 'message', channel: 'chat', direction: 'inbound' },
    identifiers: ['acme:1', 'email:ada@example.com'],
  };

  it('leave an identifier claimed that none is about', () => {
    expect(claimedBy([], message, true)).toEqual(message.identifiers);
    expect(claimedBy([platformUser('id', 'acme')], message, true)).toEqual(['email:ada@example.com']);
    const becomes = ['phone:+14155550100'];
    expect(claimedBy([platformUser('id', 'acme')], { ...message, becomes }, true)).toContain(becomes[0]);
  });

  it('are applied in their order', () => {
    const inChat = typed('id', 'acme', 'typed', { channels: ['chat'] });
    const other = platformUser('id', 'acme');
    expect(claimedBy([inChat, other], message, false)).toContain('acme:1');
    expect(claimedBy([inChat, other], { ...message, channel: 'sms' }, false)).not.toContain('acme:1');
  });

  it('claim nothing of a report, which proves nothing', () => {
    expect(claimedBy([], { ...message, kind: 'bounce' }, false)).toEqual([]);
  });
});

const fixture = async (name: string): Promise<DecodedInteraction> => {
  const found = goodCases.find((one) => one.name === name);
  const [interaction] = found === undefined ? [] : await interactionsOf(found);
  if (interaction === undefined) throw new Error(`There is no fixture ${name}.`);
  return interaction;
};

const completed = async (provider: ProviderId, before: DecodedInteraction, content: string | object) => {
  const bytes = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  return mappingOf(provider).complete?.(before, { contentType: 'application/json', bytes });
};

describe('content that is fetched later', () => {
  const mail = (from: string, ...more: string[]) =>
    [...more, `From: ${from}`, 'Subject: Order 7', '', 'Where is it?', ''].join('\r\n');

  const stored: DecodedInteraction = {
    ...{ key: 'm1', kind: 'message', channel: 'email', direction: 'inbound', identifiers: [] },
    ...{ fetch: { url: 's3://acme/inbound/m1' }, properties: { dmarc: 'PASS', dkim: 'PASS' } },
  };
  const ada = ['email:ada@example.com'];

  it('of SES has the verdict that came with the notification', async () => {
    const pass = await completed('ses', stored, mail('Ada <ada@example.com>'));
    expect(pass).toMatchObject({ identifiers: ada });
    expect(pass?.claimed).toBeUndefined();
    const failed = { ...stored, properties: { dmarc: 'FAIL', dkim: 'FAIL' } };
    expect((await completed('ses', failed, mail('Ada <ada@example.com>')))?.claimed).toEqual(ada);
    const silent = { ...stored, properties: {} };
    expect((await completed('ses', silent, mail('Ada <ada@example.com>')))?.claimed).toEqual(ada);
    const two = mail('Ada <ada@example.com>', 'From: Eve <eve@example.net>');
    expect((await completed('ses', stored, two))?.claimed).toHaveLength(1);
  });

  it('of SES with DKIM alone needs a signature of the author, and no other', async () => {
    const signed = { ...stored, properties: { dmarc: 'GRAY', dkim: 'PASS' } };
    const signature = (domain: string) => `DKIM-Signature: v=1; a=rsa-sha256; d=${domain}; b=x`;
    const own = mail('Ada <ada@example.com>', signature('example.com'));
    const others = mail('Ada <ada@example.com>', signature('example.com'), signature('example.net'));
    expect((await completed('ses', signed, own))?.claimed).toBeUndefined();
    expect((await completed('ses', signed, others))?.claimed).toEqual(ada);
  });

  it('of a lead ad was typed', async () => {
    const lead = await fixture('meta: lead');
    const answers = [
      { name: 'email', values: ['Ada@Example.com'] },
      { name: 'phone_number', values: ['+14155550100'] },
    ];
    const whole = await completed('meta', lead, { field_data: answers });
    expect(whole?.identifiers).toEqual(['email:ada@example.com', 'phone:+14155550100']);
    expect(whole?.claimed).toEqual(whole?.identifiers);
  });

  it('of Resend has no verdict', async () => {
    const received = await fixture('resend: received');
    const whole = await completed('resend', received, { text: 'Where is it?' });
    expect(whole?.claimed).toEqual(received.identifiers);
  });

  it('of HubSpot proves the address to which staff wrote, and no author', async () => {
    const message: DecodedInteraction = {
      ...{ key: 'm1', kind: 'message', channel: 'chat', direction: 'inbound', identifiers: [] },
    };
    const party = {
      actorId: 'V-7',
      deliveryIdentifier: { type: 'HS_EMAIL_ADDRESS', value: 'ada@example.com' },
    };
    const inbound = await completed('hubspot', message, { direction: 'INCOMING', senders: [party] });
    expect(inbound?.claimed).toEqual(['hubspot:7', 'email:ada@example.com']);
    const outbound = await completed('hubspot', message, { direction: 'OUTGOING', recipients: [party] });
    expect(outbound?.claimed).toEqual(['hubspot:7']);
  });
});
