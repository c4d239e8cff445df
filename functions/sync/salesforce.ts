import { salesforce } from '../../connectors/crm/salesforce/index.ts';
import { lambda } from '../middleware/lambda.ts';
import { syncWith } from './handler.ts';
import { bulkLots } from './jobs/backfill/lot.ts';

export const create = syncWith(salesforce, bulkLots);

export const handler = lambda(create);
