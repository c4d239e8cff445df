import { hubspot } from '../../connectors/crm/hubspot/index.ts';
import { lambda } from '../middleware/lambda.ts';
import { syncWith } from './handler.ts';

export const create = syncWith(hubspot);

export const handler = lambda(create);
