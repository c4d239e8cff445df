import { readdirSync } from 'node:fs';

export const folder = new URL('.', import.meta.url).pathname;
export const scenarioFiles = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
