import { ServiceError } from '../protocol/json.ts';
import { answerQuery, element, need, queryOperation } from '../protocol/query.ts';
import type { AwsService } from '../protocol/service.ts';
import type { Template } from './assembly.ts';
import type { Created } from './template.ts';

/** The local CloudFormation: it lists the created resources of the stack. */
export const cloudformation = (
  stack: string,
  template: Template,
  created: ReadonlyMap<string, Created>,
): AwsService => ({
  signingName: 'cloudformation',
  operation: queryOperation,
  handle: (request) =>
    answerQuery(request, 'http://cloudformation.amazonaws.com/doc/2010-05-15/', {
      ListStackResources(input) {
        if (need(input, 'StackName') !== stack)
          throw new ServiceError(
            'ValidationError',
            `Stack with id ${input.get('StackName')} does not exist. The only stack is ${stack}.`,
          );
        const members = [...created].map(
          ([id, { ref }]) =>
            `<member>${element('LogicalResourceId', id)}${element('PhysicalResourceId', ref)}${element('ResourceType', template.Resources[id]?.Type)}${element('ResourceStatus', 'CREATE_COMPLETE')}</member>`,
        );
        return `<StackResourceSummaries>${members.join('')}</StackResourceSummaries>`;
      },
    }),
});
