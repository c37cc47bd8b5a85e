import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // One project per package. Tests that need a DOM say so with `// @vitest-environment happy-dom`.
    projects: ['packages/*', 'apps/*'],
    passWithNoTests: true,
  },
});
