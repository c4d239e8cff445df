import type { HeldRecord } from '../../protocol/sandbox.ts';
import { type Account, valuesOf } from '../account/account.ts';
import type { ObjectType } from '../account/object-types.ts';

const basics = (account: Account, type: ObjectType, record: HeldRecord) => ({
  id: record.id,
  createdAt: String(record.fields[type.createdProperty]),
  updatedAt: String(record.fields[type.modifiedProperty]),
  archived: false,
  url: `https://app.hubspot.com/contacts/${account.portalId}/record/${type.id}/${record.id}`,
});

/** As answers to writes have it: with every property that has a value. */
export const written = (account: Account, type: ObjectType, record: HeldRecord) => ({
  ...basics(account, type, record),
  properties: valuesOf(record),
});

/** As answers to reads have it: the properties that were asked for, null without a value; unknown ones are left out. */
export const readOut = (
  account: Account,
  type: ObjectType,
  record: HeldRecord,
  asked: readonly string[] = [],
  withHistory: readonly string[] = [],
) => {
  const names = [
    ...new Set([...(asked.length > 0 ? asked : type.defaults), ...withHistory, ...stamps(type)]),
  ];
  const known = names.filter((name) => account.properties.get(type, name));
  const history = withHistory.filter((name) => account.properties.get(type, name));
  return {
    ...basics(account, type, record),
    properties: Object.fromEntries(
      known.map((name) => [name, record.fields[name] === undefined ? null : String(record.fields[name])]),
    ),
    ...(history.length > 0 && {
      propertiesWithHistory: Object.fromEntries(
        history.map((name) => [name, account.history(type, record.id, name)]),
      ),
    }),
  };
};

const stamps = (type: ObjectType): string[] => [type.createdProperty, type.modifiedProperty, 'hs_object_id'];

/** An archived record, with the moment at which it was archived. */
export const readArchived = (
  account: Account,
  type: ObjectType,
  record: HeldRecord,
  asked: readonly string[],
) => ({
  ...readOut(account, type, record, asked),
  archived: true,
  archivedAt: String(record.fields['archivedAt']),
});
