import type { DatabaseSync } from 'node:sqlite';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';

/**
 * Stores the secrets of the sandboxes, each unless somebody has stored another one. What was stored is remembered in `db`, so
 * that a sandbox with a new address replaces its own old secret. Resolves to `sandbox` or `other`, as the secret is now, or to
 * `none` where the stack makes no such secret, because its user is switched off.
 */
export const offerSecrets = (db: DatabaseSync, client: SecretsManagerClient) => {
  db.exec('CREATE TABLE IF NOT EXISTS sandbox_secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT');
  return async (
    SecretId: string,
    secret: Readonly<Record<string, string>>,
  ): Promise<'sandbox' | 'other' | 'none'> => {
    const SecretString = JSON.stringify(secret);
    try {
      const { SecretString: stored = '{}' } = await client.send(new GetSecretValueCommand({ SecretId }));
      const offered = db.prepare('SELECT value FROM sandbox_secrets WHERE name = ?').get(SecretId)?.['value'];
      if (stored !== '{}' && stored !== offered && stored !== SecretString) return 'other';
      await client.send(new PutSecretValueCommand({ SecretId, SecretString }));
      db.prepare('INSERT OR REPLACE INTO sandbox_secrets VALUES (?, ?)').run(SecretId, SecretString);
      return 'sandbox';
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return 'none';
      throw error;
    }
  };
};
