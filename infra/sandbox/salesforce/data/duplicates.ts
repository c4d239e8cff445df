import type { Fields, HeldRecord } from '../../protocol/sandbox.ts';
import type { ObjectType } from '../schema/fields.ts';
import type { DuplicateRule } from './duplicate-rule.ts';
import { SaveError } from './errors.ts';
import type { Org, Transaction } from './org.ts';

const folded = (value: unknown): string =>
  String(value ?? '')
    .trim()
    .toLowerCase();

const matches = (
  org: Org,
  rule: DuplicateRule,
  type: ObjectType,
  id: string | undefined,
  fields: Fields,
): HeldRecord[] => {
  const found = rule.match.flatMap((names) => {
    const [first = ''] = names;
    if (names.some((name) => folded(fields[name]) === '')) return [];
    return org
      .findBy(type, first, fields[first])
      .filter(
        (other) =>
          other.id !== id && names.every((name) => folded(other.fields[name]) === folded(fields[name])),
      );
  });
  return [...new Set(found)];
};

/** Refuses a record that an active duplicate rule finds to be there already. */
export const checkDuplicates = (
  { org, caller }: Transaction,
  type: ObjectType,
  id: string | undefined,
  fields: Fields,
): void => {
  for (const rule of org.duplicateRules.filter(({ object }) => object === type.name)) {
    const allowSave = rule.action === 'alert';
    const records = allowSave && caller.allowDuplicates ? [] : matches(org, rule, type, id, fields);
    if (records.length === 0) continue;
    const message = 'Use one of these records?';
    throw new SaveError('DUPLICATES_DETECTED', message, [], {
      duplicateResult: {
        allowSave,
        duplicateRule: rule.name,
        duplicateRuleEntityType: type.name,
        errorMessage: message,
        matchResults: [
          {
            entityType: type.name,
            errors: [],
            matchEngine: 'ExactMatchEngine',
            matchRecords: records.map((record) => ({
              additionalInformation: [],
              fieldDiffs: [],
              matchConfidence: 100,
              record: {
                attributes: {
                  type: type.name,
                  url: `/services/data/v62.0/sobjects/${type.name}/${record.id}`,
                },
                Id: record.id,
                ...(caller.recordDetails && details(type, record.fields)),
              },
            })),
            rule: rule.name,
            size: records.length,
            success: true,
          },
        ],
      },
    });
  }
};

const details = (type: ObjectType, fields: Fields): Fields =>
  Object.fromEntries(
    type.fields
      .filter(({ nameField }) => nameField)
      .map(({ name, derive }) => [name, derive?.(fields) ?? fields[name]]),
  );
