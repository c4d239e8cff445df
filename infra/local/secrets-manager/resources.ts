import * as z from 'zod';
import {
  type DeployContext,
  number,
  type ResourceTypes,
  resourceType,
  unless,
  unused,
} from '../cloudformation/resource-type.ts';

const Generate = z.strictObject({
  SecretStringTemplate: z.string().optional(),
  GenerateStringKey: z.string().optional(),
  PasswordLength: number.optional(),
  ExcludeCharacters: z.string().optional(),
  ExcludeLowercase: z.boolean().optional(),
  ExcludeNumbers: z.boolean().optional(),
  ExcludePunctuation: z.boolean().optional(),
  ExcludeUppercase: z.boolean().optional(),
  IncludeSpace: z.boolean().optional(),
  RequireEachIncludedType: z.boolean().optional(),
});
const Password = z.object({ RandomPassword: z.string() });

export const secretsManagerTypes: ResourceTypes = {
  'AWS::SecretsManager::Secret': resourceType(
    z.strictObject({
      Name: z.string(),
      Description: z.string().optional(),
      SecretString: z.string().optional(),
      KmsKeyId: z.string().optional(),
      Tags: unused,
      GenerateSecretString: Generate.optional(),
    }),
    async (_, { Name, SecretString: text, GenerateSecretString: generate }, { call }) => {
      const SecretString = text ?? (generate ? await generated(generate, call) : '{}');
      const created = await unless(
        'ResourceExistsException',
        call('secretsmanager', 'secretsmanager.CreateSecret', { Name, SecretString }),
      );
      const { ARN } =
        created ?? (await call('secretsmanager', 'secretsmanager.DescribeSecret', { SecretId: Name }));
      return { ref: String(ARN) };
    },
  ),
};

/** A random password, alone or as one field of a JSON template. */
const generated = async (
  { SecretStringTemplate: template, GenerateStringKey: key, ...rules }: z.infer<typeof Generate>,
  call: DeployContext['call'],
): Promise<string> => {
  const { RandomPassword } = Password.parse(
    await call('secretsmanager', 'secretsmanager.GetRandomPassword', rules),
  );
  if ((template === undefined) !== (key === undefined))
    throw new Error('SecretStringTemplate and GenerateStringKey must be given together.');
  if (template === undefined || key === undefined) return RandomPassword;
  const fields = z.record(z.string(), z.json()).parse(JSON.parse(template));
  return JSON.stringify({ ...fields, [key]: RandomPassword });
};
