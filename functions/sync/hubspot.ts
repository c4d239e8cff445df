import { hubspot } from '../../connectors/crm/hubspot.ts';
import { lambda } from '../lambda.ts';
import { syncWith } from './handler.ts';

export const create = syncWith(hubspot);

export const handler = lambda(create);
