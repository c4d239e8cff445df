import { salesforce } from '../../connectors/crm/salesforce/index.ts';
import { lambda } from '../middleware/lambda.ts';
import { syncWith } from './handler.ts';

export const create = syncWith(salesforce);

export const handler = lambda(create);
