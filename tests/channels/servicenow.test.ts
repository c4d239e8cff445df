import { expect, it } from 'vitest';
import { servicenow } from '../../mappings/channels/servicenow.ts';
import { decodeBody } from '../support/decode.ts';

const ID = 'a'.repeat(32);
