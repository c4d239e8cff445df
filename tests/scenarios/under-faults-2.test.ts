import { runUnderFaults } from './under-faults.ts';

runUnderFaults(1);
