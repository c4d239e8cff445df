import { salesforce } from '../../connectors/crm/salesforce.ts';
import { lambda } from '../lambda.ts';
import { syncWith } from './handler.ts';

export const create = syncWith(salesforce);

export const handler = lambda(create);
