import { servicenow } from '../../connectors/crm/servicenow/index.ts';
import { lambda } from '../middleware/lambda.ts';
import { syncWith } from './handler.ts';

export const create = syncWith(servicenow);

export const handler = lambda(create);
