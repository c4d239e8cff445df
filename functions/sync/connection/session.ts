import type { Stop } from '../../../core/crm/connection.ts';
import type { CrmResult, CrmSession, Removal } from '../../../core/crm/connector.ts';
import { CrmFault } from '../../../core/crm/fault.ts';

export interface ParkedObjects {
  readonly parked: Readonly<Record<string, Stop>>;
  /** A parked object that is used all the same, to find out whether it can be. */
  readonly probed?: string | undefined;
  /** Called for each object that the CRM has answered about. */
  readonly onAnswer: (object: string) => void;
}

/**
 * A session that names the object of every fault, and that refuses work on a parked object without a call: it rejects with
 * the `CrmFault` for which the object was parked.
 */
export const withParkedObjects = (
  session: CrmSession,
  { parked, probed, onAnswer }: ParkedObjects,
): CrmSession => {
  const about = async <Result>(object: string, work: () => Promise<Result>): Promise<Result> => {
    const stop = object === probed ? undefined : parked[object];
    if (stop !== undefined) throw faultOf(object, stop);
    try {
      const result = await work();
      onAnswer(object);
      return result;
    } catch (error) {
      throw error instanceof CrmFault ? named(error, object) : error;
    }
  };
  const create = session.createKeyField?.bind(session);
  const changes = session.changes?.bind(session);
  const { imports } = session;
  const removeChildren = session.removeChildren?.bind(session);
  return {
    describe: (objects, call) => session.describe(objects, call),
    account: (call) => session.account(call),
    examine: (call) => session.examine(call),
    find: (object, ...rest) => about(object, () => session.find(object, ...rest)),
    read: (object, ...rest) => about(object, () => session.read(object, ...rest)),
    list: (object, ...rest) => about(object, () => session.list(object, ...rest)),
    upsert: (object, ...rest) =>
      about(object, async () => (await session.upsert(object, ...rest)).map((one) => inResult(one, object))),
    addChildren: (object, ...rest) =>
      about(object, async () =>
        (await session.addChildren(object, ...rest)).map((one) => inResult(one, object)),
      ),
    children: (object, ...rest) => about(object, () => session.children(object, ...rest)),
    ...(removeChildren && {
      removeChildren: (object, ...rest) => about(object, () => removeChildren(object, ...rest)),
    }),
    remove: (object, ...rest) =>
      about(object, async () => (await session.remove(object, ...rest)).map((one) => inResult(one, object))),
    ...(changes && { changes: (object, ...rest) => about(object, () => changes(object, ...rest)) }),
    ...(imports && {
      imports: {
        ...imports,
        upsert: (by, ...rest) =>
          about(by.object, async () =>
            (await imports.upsert(by, ...rest)).map((one) => inResult(one, by.object)),
          ),
      },
    }),
    ...(create && { createKeyField: (object, ...rest) => about(object, () => create(object, ...rest)) }),
  };
};

const inResult = <Result extends CrmResult | Removal>(result: Result, object: string): Result =>
  'fault' in result ? { ...result, fault: named(result.fault, object) } : result;

const named = (fault: CrmFault, object: string): CrmFault =>
  fault.object === undefined ? withObject(fault, object) : fault;

const withObject = (fault: CrmFault, object: string): CrmFault => {
  const { code, message, scope, why, records, field, retry } = fault;
  const afterSeconds = typeof retry === 'object' ? retry.afterSeconds : undefined;
  return new CrmFault(code, message, {
    scope,
    why,
    records,
    object,
    field,
    afterSeconds,
    cause: fault.cause,
  });
};

/** What a call on a parked object rejects with. */
const faultOf = (object: string, { reason }: Stop): CrmFault =>
  new CrmFault('parked-object', reason, { scope: 'object', why: 'setup', object });
