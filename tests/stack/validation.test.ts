import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { synthesiseHub } from '../support/synthesise-hub.ts';
import { everything } from './every-switch.ts';

// AWS's own validator of templates (https://github.com/aws-cloudformation/cloudformation-validate), which is part of the CDK:
// the schemas of every region, and the rules of cfn-lint.
const Report = z.object({
  diagnostics: z.array(z.looseObject({ severity: z.string(), ruleId: z.string(), message: z.string() })),
});
interface Engine {
  validateTemplate(template: object, config: object): unknown;
  free(): void;
}
interface Validator {
  readonly CompositeEngine: new () => Engine;
  readonly TemplateFile: new (path: string) => object;
}
const cdk = createRequire(createRequire(import.meta.url).resolve('aws-cdk-lib/package.json'));
const { CompositeEngine, TemplateFile }: Validator = cdk('@aws/cloudformation-validate');
const engine = new CompositeEngine();
afterAll(() => engine.free());

/** CDK writes dependencies that a reference implies already. */
const IMPLIED_DEPENDENCY = 'W3005';
/** Old and new regions, with and without an opt-in. */
const regions = [
  ...['us-east-1', 'us-west-2', 'eu-central-1', 'eu-west-1', 'eu-south-1'],
  ...['ap-southeast-2', 'ap-northeast-1', 'sa-east-1', 'ca-central-1', 'me-central-1'],
];

const faultsOf = (folder: string, region: string): string[] => {
  const file = readdirSync(folder).find((name) => name.endsWith('.template.json')) ?? '';
  const report = Report.parse(
    engine.validateTemplate(new TemplateFile(join(folder, file)), { pseudoParameterOverrides: { region } }),
  );
  return report.diagnostics
    .filter(({ severity, ruleId }) => severity !== 'INFO' && ruleId !== IMPLIED_DEPENDENCY)
    .map(({ severity, ruleId, message }) => `${region} ${severity} ${ruleId}: ${message}`);
};

const validate = (hub: Parameters<typeof synthesiseHub>[0], where: readonly string[]): string[] => {
  const { folder, remove } = synthesiseHub(hub);
  const faults = where.flatMap((region) => faultsOf(folder, region));
  remove();
  return faults;
};

describe('the template, for AWS’s validator', { timeout: 600_000 }, () => {
  it('has no error with everything switched on, in any of ten regions', () => {
    expect(validate(everything, regions)).toEqual([]);
  });

  it('has no error in a region without SES where e-mail is switched off', () => {
    const WITHOUT_SES = ['ap-southeast-4'];
    expect(validate({ senders: { sms: 'aws-sms' } }, WITHOUT_SES)).toEqual([]);
    expect(validate({ senders: { email: 'ses' } }, WITHOUT_SES)).toEqual([
      expect.stringContaining('AWS::SES::ConfigurationSet'),
    ]);
  });
});
