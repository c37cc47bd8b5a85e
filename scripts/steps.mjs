// Runs the steps of `make test` and its parts: two lanes side by side while things build, then what must be alone.
// Prints what each step found, and last a plain line `N passed, N failed` over everything that ran.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { countTests } from './results.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const logs = path.join(root, 'target', 'test-logs');
const deny = path.join(root, 'target', 'tools', 'bin', 'cargo-deny');

// Formatting and lints of scripts come with the formatter and linter of the web client.
const prettier = 'web/node_modules/.bin/prettier --config web/.prettierrc.json --log-level warn';

/**
 * A step. `lane`: steps of one lane run one after the other. `needs`: steps without which it makes no sense.
 * `tests`: its output says how many tests ran; any other step counts as one.
 */
const STEPS = {
  'web-deps': { lane: 'a', run: 'make web-deps' },
  'web-build': { lane: 'a', run: 'make web', needs: ['web-deps'] },
  rustfmt: { lane: 'a', run: 'cargo fmt --all --check' },
  clippy: {
    lane: 'a',
    run: 'cargo clippy --workspace --all-targets --locked -- -D warnings',
    needs: ['web-build'],
  },
  // The tests of the program need it built: the end-to-end tests take the same one, so nothing is built twice.
  program: { lane: 'a', run: 'cargo test --workspace --locked --no-run', needs: ['web-build'] },
  'cargo-test': { lane: 'a', run: 'cargo test --workspace --locked', needs: ['program'], tests: true },
  codegen: { lane: 'a', run: 'cargo xtask codegen --check' },
  tidy: { lane: 'a', run: 'cargo xtask tidy' },

  'web-typecheck': { lane: 'b', run: 'npm --prefix web run typecheck', needs: ['web-deps'] },
  'web-lint': { lane: 'b', run: 'npm --prefix web run lint', needs: ['web-deps'] },
  'web-test': { lane: 'b', run: 'npm --prefix web run test', needs: ['web-deps'], tests: true },
  'e2e-setup': { lane: 'b', run: 'scripts/setup-e2e' },
  'e2e-lint': {
    lane: 'b',
    run: `npm --prefix e2e run typecheck && ${prettier} --check e2e scripts`,
    needs: ['e2e-setup', 'web-deps'],
  },
  'scripts-test': { lane: 'b', run: 'node --test --test-reporter=tap scripts/', tests: true },
  'cargo-deny': { lane: 'b', run: `scripts/setup-cargo-deny && ${deny} check bans licenses sources` },

  // Last and alone: sound and pictures in real time want the machine for themselves.
  e2e: { lane: 'last', run: 'npm --prefix e2e test --', needs: ['program', 'e2e-setup'], tests: true, stream: true },
  screens: {
    lane: 'last',
    run: 'npm --prefix e2e run screens --',
    needs: ['program', 'e2e-setup'],
    tests: true,
    stream: true,
  },
};

const LINT = ['rustfmt', 'clippy', 'codegen', 'tidy', 'web-typecheck', 'web-lint', 'e2e-lint', 'cargo-deny'];
const UNIT = ['cargo-test', 'web-test', 'scripts-test'];
const GOALS = { lint: LINT, unit: UNIT, e2e: ['e2e'], screens: ['screens'], test: [...LINT, ...UNIT, 'e2e'] };

const [goal = 'test', ...rest] = process.argv.slice(2);
const extra = rest[0] === '--' ? rest.slice(1) : rest;
// A single step is a goal too: `node scripts/steps.mjs tidy`.
const names = GOALS[goal] ?? (goal in STEPS ? [goal] : undefined);
if (names === undefined) {
  console.error(`steps: ${goal} is none of ${[...Object.keys(GOALS), ...Object.keys(STEPS)].join(', ')}`);
  process.exit(2);
}
mkdirSync(logs, { recursive: true });
const started = Date.now();
const wanted = withNeeds(names);
const outcomes = new Map();
await Promise.all([runLane('a'), runLane('b')]);
await runLane('last');
report();

/** The named steps and all that they need, in the order of `STEPS`. */
function withNeeds(names) {
  const all = new Set();
  const add = (name) => {
    all.add(name);
    (STEPS[name].needs ?? []).forEach(add);
  };
  names.forEach(add);
  return Object.keys(STEPS).filter((name) => all.has(name));
}

async function runLane(lane) {
  for (const name of wanted.filter((step) => STEPS[step].lane === lane)) {
    const step = STEPS[name];
    const needs = await Promise.all((step.needs ?? []).map(outcomeOf));
    const broken = needs.find((need) => !need.ok);
    const outcome = broken ? notRun(name, broken) : await runStep(name, step);
    const waiting = outcomes.get(name)?.resolve;
    outcomes.set(name, { outcome });
    waiting?.(outcome);
  }
}

/** The outcome of a step, of this lane or of another, once it is known. */
function outcomeOf(name) {
  const entry = outcomes.get(name) ?? {};
  if (entry.outcome) return entry.outcome;
  entry.promise ??= new Promise((resolve) => (entry.resolve = resolve));
  outcomes.set(name, entry);
  return entry.promise;
}

function notRun(name, broken) {
  say(`not run  ${name}: it needs ${broken.name}`);
  return { name, ok: false, passed: 0, failed: 1, seconds: 0, note: `not run, needs ${broken.name}` };
}

async function runStep(name, step) {
  const command = step.lane === 'last' ? [step.run, ...extra.map(quoted)].join(' ') : step.run;
  const log = path.join(logs, `${name}.log`);
  say(`start    ${name}`);
  const begin = Date.now();
  const code = await shell(command, log, step.stream);
  const seconds = (Date.now() - begin) / 1000;
  const text = readFileSync(log, 'utf8');
  const ok = code === 0;
  const counts = step.tests ? countTests(text) : { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
  // A step that fails without a failed test (it did not compile, say) is one failure; one that ran no test has failed.
  const empty = Boolean(step.tests) && counts.passed + counts.failed === 0;
  const failed = ok && !empty ? counts.failed : Math.max(1, counts.failed);
  const outcome = { name, ok: ok && !empty, passed: counts.passed, failed, seconds, note: noteOf(counts, empty) };
  if (!outcome.ok && !step.stream) console.log(`${text.trimEnd()}\n`);
  say(`${outcome.ok ? 'ok      ' : 'FAILED  '} ${name} (${seconds.toFixed(0)} s) ${outcome.note}`.trimEnd());
  return outcome;
}

function noteOf(counts, empty) {
  if (empty) return 'no test ran';
  return counts.skipped > 0 ? `${counts.skipped} skipped` : '';
}

function shell(command, log, stream) {
  return new Promise((resolve) => {
    const child = spawn('bash', ['-euo', 'pipefail', '-c', command], {
      cwd: root,
      env: { ...process.env, CARGO_TERM_COLOR: 'never', NO_COLOR: '1', FORCE_COLOR: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const file = createWriteStream(log);
    for (const pipe of [child.stdout, child.stderr]) {
      pipe.on('data', (data) => {
        file.write(data);
        if (stream) process.stdout.write(data);
      });
    }
    child.on('error', (error) => file.end(`${error}\n`, () => resolve(1)));
    child.on('close', (code) => file.end(() => resolve(code ?? 1)));
  });
}

function quoted(argument) {
  return `'${argument.replaceAll("'", "'\\''")}'`;
}

function say(text) {
  const seconds = ((Date.now() - started) / 1000).toFixed(0).padStart(5);
  console.log(`[${seconds} s] ${text}`);
}

function report() {
  const results = wanted.map((name) => outcomes.get(name).outcome);
  console.log('\nstep             passed  failed  seconds');
  for (const { name, passed, failed, seconds, note } of results) {
    const row = [name.padEnd(16), `${passed}`.padStart(6), `${failed}`.padStart(7), seconds.toFixed(0).padStart(8)];
    console.log(`${row.join(' ')}  ${note}`.trimEnd());
  }
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const failed = sum('failed');
  if (failed > 0) console.log(`\nWhat failed is printed above, and in ${path.relative(process.cwd(), logs)}/.`);
  console.log(`\nTests and checks (a check that is no test suite counts as one) after ${minutes()}:`);
  console.log(`${sum('passed')} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

function minutes() {
  const seconds = Math.round((Date.now() - started) / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
