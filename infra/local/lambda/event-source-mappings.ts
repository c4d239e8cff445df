import { createHash } from 'node:crypto';
import * as z from 'zod';
import { asServiceError, ServiceError } from '../protocol/json.ts';
import type { AwsRequest, AwsResponse, AwsService, ServiceContext } from '../protocol/service.ts';
import type { EventSource } from './function.ts';

/** Receives from a queue until it is stopped. */
interface Polling {
  /** Receives no further batch; resolves once the running ones have ended. */
  stop(): Promise<void>;
}

export interface EventSourceMappings {
  /** Lambda's API for event source mappings. */
  readonly service: AwsService;
  /** Starts to poll for the mappings of a template, except for those that are switched off. */
  connect(sources: readonly EventSource[], poll: (source: EventSource) => Polling): void;
  stop(): Promise<void>;
}

interface Mapping {
  readonly id: string;
  readonly source: EventSource;
  readonly poll: () => Polling;
  polling: Polling | undefined;
}

const PATH = /^\/2015-03-31\/event-source-mappings\/([^/]*)$/u;
const Update = z.strictObject({ Enabled: z.boolean() });

/** The operation of a request to Lambda's API; empty for one that the local Lambda does not have. */
const operationOf = ({ path, method }: AwsRequest): string => {
  const [, id] = PATH.exec(path) ?? [];
  if (id === undefined) return '';
  if (method === 'GET') return id === '' ? 'ListEventSourceMappings' : 'GetEventSourceMapping';
  return method === 'PUT' && id !== '' ? 'UpdateEventSourceMapping' : '';
};

/** The id of the mapping that a request names; empty where it names none. */
export const mappingIdOf = ({ path }: Pick<AwsRequest, 'path'>): string =>
  decodeURIComponent(PATH.exec(path)?.[1] ?? '');

/** The id of a mapping, the same in every run, so that its state survives a restart. */
const idOf = ({ queueArn, functionName }: EventSource): string => {
  const digits = createHash('sha256').update(`${queueArn} ${functionName}`).digest('hex');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/u, '$1-$2-$3-$4-$5');
};

/** The mappings of queues to functions: listed, shown, and switched on and off. Whether one is on is stored. */
export const eventSourceMappings = ({
  db,
  region,
  account,
}: Pick<ServiceContext, 'db' | 'region' | 'account'>): EventSourceMappings => {
  const store = prepare(db);
  const mappings = new Map<string, Mapping>();
  const stopping = new Set<Promise<void>>();
  const expectMapping = (id: string): Mapping => {
    const mapping = mappings.get(id);
    if (mapping) return mapping;
    throw new ServiceError('ResourceNotFoundException', 'The resource you requested does not exist.', 404);
  };
  const described = ({ id, source, polling }: Mapping) => ({
    UUID: id,
    BatchSize: source.batchSize,
    MaximumBatchingWindowInSeconds: source.windowSeconds,
    EventSourceArn: source.queueArn,
    FunctionArn: `arn:aws:lambda:${region}:${account}:function:${source.functionName}`,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: source.maximumConcurrency },
    State: polling === undefined ? 'Disabled' : 'Enabled',
    StateTransitionReason: 'USER_INITIATED',
  });
  const setEnabled = (mapping: Mapping, isEnabled: boolean): void => {
    store.set(mapping, isEnabled);
    if (isEnabled) mapping.polling ??= mapping.poll();
    else if (mapping.polling !== undefined) {
      const stopped = mapping.polling.stop().finally(() => stopping.delete(stopped));
      stopping.add(stopped);
      mapping.polling = undefined;
    }
  };
  const answers: Readonly<Record<string, (request: AwsRequest) => [status: number, body: object]>> = {
    ListEventSourceMappings({ query }) {
      const asked = new URLSearchParams(query);
      const [queue, name] = [asked.get('EventSourceArn'), asked.get('FunctionName')?.split(':').at(-1)];
      const found = [...mappings.values()].filter(
        ({ source }) =>
          (queue === null || source.queueArn === queue) &&
          (name === undefined || source.functionName === name),
      );
      return [200, { EventSourceMappings: found.map(described) }];
    },
    GetEventSourceMapping: (request) => [200, described(expectMapping(mappingIdOf(request)))],
    UpdateEventSourceMapping(request) {
      const mapping = expectMapping(mappingIdOf(request));
      const { Enabled } = Update.parse(JSON.parse(Buffer.from(request.body).toString()));
      setEnabled(mapping, Enabled);
      return [202, { ...described(mapping), State: Enabled ? 'Enabling' : 'Disabling' }];
    },
  };
  return {
    service: {
      signingName: 'lambda',
      operation: operationOf,
      async handle(request) {
        try {
          const answer = answers[operationOf(request)];
          if (answer === undefined)
            throw new ServiceError(
              'UnknownOperationException',
              `The local Lambda does not support ${request.method} ${request.path}.`,
              404,
            );
          return response(...answer(request));
        } catch (error) {
          const { status, type, message } = asServiceError(error);
          const refused = response(status, { Type: 'User', Message: message });
          return { ...refused, headers: { ...refused.headers, 'x-amzn-errortype': type } };
        }
      },
    },
    connect(sources, poll) {
      for (const source of sources) {
        const id = idOf(source);
        const mapping: Mapping = { id, source, poll: () => poll(source), polling: undefined };
        mappings.set(id, mapping);
        if (store.isEnabled(mapping)) mapping.polling = mapping.poll();
      }
    },
    async stop() {
      const running = [...mappings.values()].map(({ polling }) => polling?.stop());
      await Promise.all([...running, ...stopping]);
    },
  };
};

const response = (status: number, body: object): AwsResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const prepare = (db: ServiceContext['db']) => {
  db.exec(
    'CREATE TABLE IF NOT EXISTS lambda_event_sources (id TEXT PRIMARY KEY, function TEXT NOT NULL, enabled INTEGER NOT NULL) STRICT',
  );
  const find = db.prepare('SELECT enabled FROM lambda_event_sources WHERE id = ?');
  const put = db.prepare('INSERT OR REPLACE INTO lambda_event_sources VALUES (?, ?, ?)');
  const set = ({ id, source }: Mapping, isEnabled: boolean): void =>
    void put.run(id, source.functionName, isEnabled ? 1 : 0);
  return {
    set,
    /** Stores a mapping that is new, as on. */
    isEnabled(mapping: Mapping): boolean {
      const row = find.get(mapping.id);
      if (row !== undefined) return row['enabled'] === 1;
      set(mapping, true);
      return true;
    },
  };
};
