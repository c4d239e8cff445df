import type { SandboxAnswer } from '../../protocol/server.ts';
import { ingestJobs, queryJobs } from '../bulk/routes.ts';
import { notInSandbox } from '../data/errors.ts';
import { search } from '../soql/search.ts';
import { answering, type Call } from './call.ts';
import { composite } from './composite.ts';
import { query } from './queries.ts';
import { sobjects } from './records.ts';
import { limits, resources } from './resources.ts';
import { tooling } from './tooling.ts';

const jobs = (call: Call): SandboxAnswer => {
  if (call.path[1] === 'ingest') return ingestJobs(call);
  if (call.path[1] === 'query') return queryJobs(call);
  throw notInSandbox(`${call.method} ${call.base}/${call.path.join('/')}`);
};

const ROUTES: Readonly<Record<string, (call: Call) => SandboxAnswer>> = {
  sobjects,
  composite,
  query,
  queryall: query,
  search: (call) => ({
    status: 200,
    body: { searchRecords: search(call.org, call.query.get('q') ?? '', call.base) },
  }),
  limits,
  jobs,
  tooling,
};

/** The answer to one call of the REST API. */
export const dispatch = (call: Call): SandboxAnswer =>
  answering(() => {
    const [first] = call.path;
    if (first === undefined) return resources(call);
    const route = ROUTES[first.toLowerCase()];
    if (route === undefined) throw notInSandbox(`${call.method} ${call.base}/${call.path.join('/')}`);
    return route(call);
  });
