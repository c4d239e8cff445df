import type { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import { ServiceError } from '../protocol/json.ts';
import { listOf, need, type QueryOperation } from '../protocol/query.ts';

const Fields = z.array(z.tuple([z.string(), z.string()]));

export interface ConfigurationSets {
  readonly operations: Readonly<Record<string, QueryOperation>>;
  /** @throws ServiceError `ConfigurationSetDoesNotExist`. */
  expect(name: string): string;
  /** The topics that a set's enabled destinations name for a type of event, such as `delivery`. */
  topicsFor(name: string, eventType: string): string[];
}

/** Configuration sets and their event destinations, which are SNS topics. */
export const configurationSets = (db: DatabaseSync): ConfigurationSets => {
  db.exec(`
    CREATE TABLE IF NOT EXISTS ses_configuration_sets (name TEXT PRIMARY KEY) STRICT;
    CREATE TABLE IF NOT EXISTS ses_event_destinations (set_name TEXT NOT NULL, name TEXT NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (set_name, name)) STRICT;
  `);
  const add = db.prepare('INSERT OR IGNORE INTO ses_configuration_sets VALUES (?)');
  const one = db.prepare('SELECT 1 FROM ses_configuration_sets WHERE name = ?');
  const addDestination = db.prepare('INSERT OR IGNORE INTO ses_event_destinations VALUES (?, ?, ?)');
  const destinations = db.prepare('SELECT fields FROM ses_event_destinations WHERE set_name = ?');
  const expect = (name: string): string => {
    if (one.get(name)) return name;
    throw new ServiceError('ConfigurationSetDoesNotExist', `Configuration set <${name}> does not exist.`);
  };
  return {
    expect,
    operations: {
      CreateConfigurationSet(input) {
        const name = need(input, 'ConfigurationSet.Name');
        if (add.run(name).changes === 0)
          throw new ServiceError(
            'ConfigurationSetAlreadyExists',
            `Configuration set <${name}> already exists.`,
          );
        return '';
      },
      CreateConfigurationSetEventDestination(input) {
        const set = expect(need(input, 'ConfigurationSetName'));
        const name = need(input, 'EventDestination.Name');
        const fields = JSON.stringify([...input].filter(([field]) => field.startsWith('EventDestination.')));
        if (addDestination.run(set, name, fields).changes === 0)
          throw new ServiceError(
            'EventDestinationAlreadyExists',
            `The event destination ${name} of the configuration set ${set} already exists.`,
          );
        return '';
      },
    },
    topicsFor: (name, eventType) =>
      destinations.all(name).flatMap(({ fields }) => {
        const form = new URLSearchParams(Fields.parse(JSON.parse(String(fields))));
        const isWanted = listOf(form, 'EventDestination.MatchingEventTypes').includes(eventType);
        const topic = form.get('EventDestination.SNSDestination.TopicARN');
        const isEnabled = form.get('EventDestination.Enabled') !== 'false';
        return isWanted && isEnabled && topic !== null ? [topic] : [];
      }),
  };
};
