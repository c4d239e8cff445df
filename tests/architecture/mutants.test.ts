import { expect, it } from 'vitest';
import { misplacedFaults, readFaults } from '../tools/mutants/faults.ts';

it('every fault of faults.yaml can be planted, and its tests exist', () => {
  expect(misplacedFaults(readFaults())).toEqual([]);
});
