import * as z from 'zod';
import type { Fields } from '../../protocol/sandbox.ts';
import type { SandboxAnswer } from '../../protocol/server.ts';
import { insert } from '../data/dml.ts';
import { ApiError, notFound, notInSandbox, SaveError } from '../data/errors.ts';
import { fieldsOfJson } from '../data/input.ts';
import type { Transaction } from '../data/org.ts';
import type { ObjectType } from '../schema/fields.ts';
import { type Call, callOf, inTransaction, isRecord, jsonBody, objectNamed } from './call.ts';
import { collections } from './collections.ts';

const PART_LIMIT = 25;
/** Of these, so many can be collections or queries. */
const HEAVY_LIMIT = 5;

const Composite = z.object({
  allOrNone: z.boolean().default(false),
  compositeRequest: z
    .array(
      z.object({
        method: z.string(),
        url: z.string(),
        referenceId: z.string().regex(/^[A-Za-z]\w*$/u),
        httpHeaders: z.record(z.string(), z.string()).default({}),
        body: z.unknown().optional(),
      }),
    )
    .min(1),
});
type Part = z.output<typeof Composite>['compositeRequest'][number];

const Batch = z.object({
  haltOnError: z.boolean().default(false),
  batchRequests: z
    .array(z.object({ method: z.string(), url: z.string(), richInput: z.unknown().optional() }))
    .min(1),
});

/** `/composite…` */
export const composite = (call: Call): SandboxAnswer => {
  const [, resource, name] = call.path;
  if (resource === 'sobjects') return collections(call);
  if (call.method !== 'POST') throw notInSandbox(`${call.method} ${call.base}/${call.path.join('/')}`);
  if (resource === undefined) return parts(call);
  if (resource === 'batch') return batch(call);
  if (resource === 'tree' && name !== undefined) return tree(call, objectNamed(call, name));
  throw notInSandbox(`${call.method} ${call.base}/${call.path.join('/')}`);
};

const parsed = <Schema extends z.ZodType>(schema: Schema, call: Call): z.output<Schema> => {
  const result = schema.safeParse(jsonBody(call));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ApiError(400, 'JSON_PARSER_ERROR', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
};

const isHeavy = ({ url }: Part): boolean => /\/(?:composite\/sobjects|query|queryAll)(?:[/?]|$)/u.test(url);

const parts = (call: Call): SandboxAnswer => {
  const { allOrNone, compositeRequest } = parsed(Composite, call);
  const heavyParts = compositeRequest.filter(isHeavy).length;
  if (compositeRequest.length > PART_LIMIT || heavyParts > HEAVY_LIMIT)
    throw new ApiError(
      400,
      'LIMIT_EXCEEDED',
      `Limit exceeded. Maximum of ${PART_LIMIT} subrequests, of which at most ${HEAVY_LIMIT} are sObject Collections or queries.`,
    );
  if (new Set(compositeRequest.map(({ referenceId }) => referenceId)).size < compositeRequest.length)
    throw new ApiError(400, 'INVALID_INPUT', 'Duplicate referenceId in the composite request');
  const answers = allOrNone
    ? inTransaction(call, (transaction) => {
        const start = transaction.savepoint();
        const all = answersOf(call, compositeRequest, transaction);
        if (!all.some(failed)) return all;
        transaction.rollback(start);
        return all.map((answer) =>
          failed(answer)
            ? answer
            : halted(
                'The transaction was rolled back since another operation in the same transaction failed.',
              ),
        );
      })
    : answersOf(call, compositeRequest);
  const compositeResponse = answers.map(({ status, headers, body }, index) => ({
    body: body ?? null,
    httpHeaders: headers?.['location'] === undefined ? {} : { Location: headers['location'] },
    httpStatusCode: status,
    referenceId: compositeRequest[index]?.referenceId,
  }));
  return { status: 200, body: { compositeResponse } };
};

const failed = ({ status }: SandboxAnswer): boolean => status >= 300;

const halted = (message: string): SandboxAnswer => new ApiError(400, 'PROCESSING_HALTED', message).answer();

const answersOf = (call: Call, requests: readonly Part[], transaction?: Transaction): SandboxAnswer[] => {
  const done = new Map<string, SandboxAnswer>();
  for (const request of requests) {
    const stop = transaction && [...done.values()].some(failed);
    done.set(
      request.referenceId,
      stop
        ? halted('The transaction was rolled back since another operation in the same transaction failed.')
        : partAnswer(call, request, done, transaction),
    );
  }
  return [...done.values()];
};

const partAnswer = (
  call: Call,
  part: Part,
  done: ReadonlyMap<string, SandboxAnswer>,
  transaction?: Transaction,
): SandboxAnswer => {
  try {
    const url = filled(part.url, done);
    const body = part.body === undefined ? '' : JSON.stringify(filledDeep(part.body, done));
    const headers = {
      ...call.headers,
      ...Object.fromEntries(
        Object.entries(part.httpHeaders).map(([name, value]) => [name.toLowerCase(), value]),
      ),
    };
    return subrequest(call, { method: part.method, url, body, headers }, transaction);
  } catch (error) {
    if (error instanceof ApiError) return error.answer();
    throw error;
  }
};

interface Subrequest {
  readonly method: string;
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const subrequest = (
  call: Call,
  { method, url, body, headers }: Subrequest,
  transaction?: Transaction,
): SandboxAnswer => {
  const { pathname, searchParams } = new URL(url, call.service.url);
  if (/\/composite(?:\/batch|\/tree)?\/?$/u.test(pathname))
    throw notFound('A composite request cannot be part of a composite request');
  return call.service.dispatch(
    callOf(
      call.service,
      call.caller,
      { method, path: pathname, query: searchParams, headers, body },
      transaction,
    ),
  );
};

const filledDeep = (value: unknown, done: ReadonlyMap<string, SandboxAnswer>): unknown => {
  if (typeof value === 'string') return filled(value, done);
  if (Array.isArray(value)) return value.map((item) => filledDeep(item, done));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, filledDeep(inner, done)]));
};

/** `@{reference.path}` becomes what an earlier part has answered. */
const filled = (text: string, done: ReadonlyMap<string, SandboxAnswer>): string =>
  text.replace(/@\{([\w.[\]]+)\}/gu, (_, expression: string) => {
    const [reference = '', ...path] = expression.replace(/\[(\d+)\]/gu, '.$1').split('.');
    let value = done.get(reference)?.body;
    for (const name of path)
      value = Array.isArray(value) ? value[Number(name)] : isRecord(value) ? value[name] : undefined;
    if (typeof value !== 'string' && typeof value !== 'number')
      throw new ApiError(
        400,
        'PROCESSING_HALTED',
        `Invalid reference specified. No value for ${expression} found in ${reference}`,
      );
    return String(value);
  });

const batch = (call: Call): SandboxAnswer => {
  const { haltOnError, batchRequests } = parsed(Batch, call);
  if (batchRequests.length > PART_LIMIT)
    throw new ApiError(400, 'LIMIT_EXCEEDED', `Limit exceeded. Maximum of ${PART_LIMIT} subrequests.`);
  let halt = false;
  const results = batchRequests.map(({ method, url, richInput }) => {
    const body = richInput === undefined ? '' : JSON.stringify(richInput);
    const answer = halt
      ? new ApiError(412, 'BATCH_PROCESSING_HALTED', 'Batch processing halted per request').answer()
      : subrequest(call, {
          method,
          url: url.startsWith('/services') ? url : `/services/data/${url.replace(/^\//u, '')}`,
          body,
          headers: call.headers,
        });
    halt ||= haltOnError && failed(answer);
    return { statusCode: answer.status, result: answer.body ?? null };
  });
  return { status: 200, body: { hasErrors: results.some(({ statusCode }) => statusCode >= 400), results } };
};

const Node = z.object({ attributes: z.object({ type: z.string(), referenceId: z.string() }) }).loose();
const Tree = z.object({ records: z.array(Node).min(1) });

/** `/composite/tree/X`: records with their children, all or none. */
const tree = (call: Call, root: ObjectType): SandboxAnswer => {
  const { records } = parsed(Tree, call);
  const results: { readonly referenceId: string; readonly id: string }[] = [];
  const grow = (
    transaction: Transaction,
    type: ObjectType,
    node: z.output<typeof Node>,
    parent: Fields,
  ): void => {
    const isBranch = (value: unknown) => isRecord(value) && Array.isArray(value['records']);
    const own = Object.fromEntries(Object.entries(node).filter(([, value]) => !isBranch(value)));
    const { referenceId } = node.attributes;
    const id = labelled(referenceId, () =>
      insert(transaction, type, { ...fieldsOfJson(call.org, type, own, call.body), ...parent }),
    );
    results.push({ referenceId, id });
    for (const [name, value] of Object.entries(node)) {
      if (!isBranch(value)) continue;
      const relation = call.org.schema.children(type).find(({ field }) => field.childRelationship === name);
      if (relation === undefined)
        throw new ApiError(400, 'INVALID_FIELD', `No such relationship '${name}' on ${type.name}`);
      for (const child of Tree.parse(value).records)
        grow(transaction, relation.object, child, { [relation.field.name]: id });
    }
  };
  try {
    inTransaction(call, (transaction) => {
      for (const node of records) grow(transaction, root, node, {});
    });
  } catch (error) {
    if (!(error instanceof TreeError)) throw error;
    return {
      status: 400,
      body: {
        hasErrors: true,
        results: [{ referenceId: error.referenceId, errors: [error.reason.inCollection()] }],
      },
    };
  }
  return { status: 201, body: { hasErrors: false, results } };
};

class TreeError extends Error {
  readonly referenceId: string;
  readonly reason: SaveError;
  constructor(referenceId: string, reason: SaveError) {
    super(reason.message);
    this.referenceId = referenceId;
    this.reason = reason;
  }
}

const labelled = (referenceId: string, work: () => string): string => {
  try {
    return work();
  } catch (error) {
    throw error instanceof SaveError ? new TreeError(referenceId, error) : error;
  }
};
