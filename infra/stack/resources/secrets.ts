import { ArnFormat, RemovalPolicy, Stack, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { HubConfig } from '../../../core/config/hub-config.ts';

/**
 * The ARN of a secret of the hub, for policies. Secrets Manager appends a hyphen and six characters to every name: end
 * `name` with `-??????`, or with `*` for all secrets below it.
 */
export const secretArn = (scope: Construct, hub: HubConfig, name: string): string =>
  Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${hub.name}/${name}`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });

/** A secret that a person fills in. It is `{}` until then, which every connector refuses. */
export const emptySecret = (scope: Construct, hub: HubConfig, name: string, description: string): void => {
  createSecret(scope, name, {
    name: `${hub.name}/${name}`,
    description,
    secretString: '{}',
  });
};

/** A secret with a random value: `{ "keys": "…" }`. */
export const generatedSecret = (
  scope: Construct,
  hub: HubConfig,
  name: string,
  description: string,
): void => {
  createSecret(scope, name, {
    name: `${hub.name}/${name}`,
    description,
    generateSecretString: {
      secretStringTemplate: '{}',
      generateStringKey: 'keys',
      excludePunctuation: true,
      passwordLength: 40,
    },
  });
};

/** A secret is retained when the stack is deleted, but not when its creation fails: the next try could not create it again. */
const createSecret = (scope: Construct, name: string, props: secretsmanager.CfnSecretProps): void => {
  const secret = new secretsmanager.CfnSecret(scope, `Secret ${name}`, props);
  secret.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
  const words = name.split(/[^a-z0-9]+/u).map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`);
  secret.overrideLogicalId(`Secret${words.join('')}`);
};
