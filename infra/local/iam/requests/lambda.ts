import { mappingIdOf } from '../../lambda/event-source-mappings.ts';
import { arn, type Derive } from './derive.ts';

/** Listing knows no resource; a mapping is one, and its function a condition. */
export const lambda: Derive = (_input, operation, known, request) => {
  const action = `lambda:${operation}`;
  const id = mappingIdOf(request);
  if (id === '') return [{ action, resource: '*' }];
  const own = known.functionOfSource(id);
  return [
    {
      ...{ action, resource: arn(known, 'lambda', `event-source-mapping:${id}`) },
      ...(own !== undefined && { context: { 'lambda:functionarn': [own] } }),
    },
  ];
};
