import { ArnFormat, RemovalPolicy, Stack, aws_secretsmanager as secretsmanager } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { HubConfig } from '../../../core/config/hub-config.ts';

/**
 * The ARN of a secret of the hub. Secrets Manager adds a hyphen and six characters to every name: end it with `-??????`, or
 * with `*` for all that are below it.
 */
export const secretArn = (scope: Construct, hub: HubConfig, name: string): string =>
  Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${hub.name}/${name}`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });

/** A secret that a person fills in: `{}` until then, which every connector refuses. */
export const emptySecret = (scope: Construct, hub: HubConfig, name: string, description: string): void => {
  keep(scope, name, {
    name: `${hub.name}/${name}`,
    description,
    secretString: '{}',
  });
};

/** A secret that AWS makes up: `{ "keys": "…" }`. */
export const generatedSecret = (
  scope: Construct,
  hub: HubConfig,
  name: string,
  description: string,
): void => {
  keep(scope, name, {
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

/** A secret stays when the stack goes; one that was just made goes with a creation that failed, so that it can be tried again. */
const keep = (scope: Construct, name: string, props: secretsmanager.CfnSecretProps): void => {
  const secret = new secretsmanager.CfnSecret(scope, `Secret ${name}`, props);
  secret.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
  const words = name.split(/[^a-z0-9]+/u).map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`);
  secret.overrideLogicalId(`Secret${words.join('')}`);
};
