import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { HubConfig } from '../../../core/config/hub-config.ts';
import type { HubSecret } from '../../../core/config/hub-secret.ts';

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

/**
 * The secrets of a hub. They are no resources of the stack: it could not create one that exists already, after a switch was
 * turned off and on, after `hub connect`, or after the stack was deleted. Each deployment creates those that are missing.
 */
export class Secrets {
  readonly #all: HubSecret[] = [];

  /** A secret that a person fills in. */
  addEmpty(name: string, description: string): void {
    this.#all.push({ name, description, value: 'empty' });
  }

  /** A secret with a random value. */
  addGenerated(name: string, description: string): void {
    this.#all.push({ name, description, value: 'generated' });
  }

  get all(): readonly HubSecret[] {
    return this.#all;
  }
}
