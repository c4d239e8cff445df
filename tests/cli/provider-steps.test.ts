import { expect, it } from 'vitest';
import { providerCatalogue } from '../../cli/deployment/provider-catalogue.ts';
import { stepsOf } from '../../cli/deployment/provider-steps.ts';

it.each(providerCatalogue().map(({ connector }) => connector))(
  'the steps of $id give the address and name each of its secrets',
  ({ id, secrets }) => {
    const text = stepsOf(id, 'https://hub.example/webhooks/x').join('\n');
    expect(text).toContain('https://hub.example/webhooks/x');
    for (const name of Object.keys(secrets)) expect(text).toContain(`\`${name}\``);
    expect(text).not.toContain('ADDRESS');
  },
);

it.each(['mailgun', 'postmark', 'sendgrid', 'ses'])('%s says how large a mail may be that comes in', (id) => {
  expect(stepsOf(id, '').join('\n')).toMatch(/up to \d+(?:\.\d+)? MB/u);
});
