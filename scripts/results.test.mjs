import assert from 'node:assert/strict';
import { test } from 'node:test';

import { countTests } from './results.mjs';

test('the lines of cargo test are summed over its programs', () => {
  const output = [
    'test a::passed ... ok',
    'test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s',
    'test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s',
  ].join('\n');
  assert.deepEqual(countTests(output), { passed: 4, failed: 2, skipped: 1 });
});

test('vitest counts tests, not files', () => {
  const output = ' Test Files  2 passed (2)\n      Tests  1 failed | 12 passed | 2 skipped (15)\n';
  assert.deepEqual(countTests(output), { passed: 12, failed: 1, skipped: 2 });
});

test('a test of Playwright that passed at its second try has failed', () => {
  const output = '  1 flaky\n    a.spec.ts:1:1 › x\n  2 skipped\n  1 did not run\n  7 passed (1.2m)\n';
  assert.deepEqual(countTests(output), { passed: 7, failed: 2, skipped: 2 });
});

test('node --test is read from TAP', () => {
  assert.deepEqual(countTests('# tests 4\n# pass 3\n# fail 1\n# skipped 0\n'), { passed: 3, failed: 1, skipped: 0 });
});

test('other words are no results', () => {
  assert.deepEqual(countTests('10 passed the gate\nTests are good\n'), { passed: 0, failed: 0, skipped: 0 });
});
