// Reads from the output of test runners how many tests passed and failed.

const ZERO = { passed: 0, failed: 0, skipped: 0 };

/** Lines that a runner prints as its result, each with how to read it. */
const READERS = [
  // cargo test: one line for each test program, none for a run that found no program.
  [
    /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/,
    (m) => ({ passed: +m[1], failed: +m[2], skipped: +m[3] }),
  ],
  // vitest: `Tests  1 failed | 12 passed | 2 skipped (15)`.
  [/^\s*Tests\s+(.*\(\d+\))\s*$/, (m) => words(m[1])],
  // node --test, TAP: `# pass 3`, `# fail 0`.
  [/^# pass (\d+)$/, (m) => ({ passed: +m[1] })],
  [/^# fail (\d+)$/, (m) => ({ failed: +m[1] })],
  [/^# (?:skipped|todo|cancelled) (\d+)$/, (m) => ({ skipped: +m[1] })],
  // Playwright: `  12 passed (1.2m)`, `  1 failed`, `  1 flaky`, `  2 skipped`, `  3 did not run`.
  [/^ {2}(\d+) (passed|failed|flaky|skipped|did not run)\b/, (m) => one(m[2], +m[1])],
];

/** How many tests passed, failed and were skipped, by what the runners printed. */
export function countTests(output) {
  const total = { ...ZERO };
  for (const line of output.split('\n')) {
    for (const [pattern, read] of READERS) {
      const match = pattern.exec(line);
      if (match === null) continue;
      const found = { ...ZERO, ...read(match) };
      for (const key of Object.keys(total)) total[key] += found[key];
    }
  }
  return total;
}

function words(text) {
  const counts = { ...ZERO };
  for (const [, count, word] of text.matchAll(/(\d+) (\w+)/g)) {
    for (const [key, value] of Object.entries(one(word, +count))) counts[key] += value;
  }
  return counts;
}

/** A test that needed a second try counts as failed: it is one that cannot be trusted. */
function one(word, count) {
  if (word === 'passed') return { passed: count };
  if (word === 'failed' || word === 'flaky' || word === 'did not run') return { failed: count };
  return { skipped: count };
}
