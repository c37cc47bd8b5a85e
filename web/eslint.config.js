import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import { defineConfig, globalIgnores } from 'eslint/config';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** What the session core may not touch: it decides, the shell acts (STYLE 28). */
const SHELL_ONLY = ['window', 'document', 'navigator', 'WebSocket', 'RTCPeerConnection', 'setTimeout', 'setInterval']
  .concat(['fetch', 'performance', 'localStorage', 'sessionStorage', 'crypto'])
  .map((name) => ({ name, message: 'The core is pure: take it as an event or give it out as an effect.' }));

export default defineConfig(
  globalIgnores(['**/dist/', '**/node_modules/', 'packages/wire/src/generated/']),
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['packages/ui/**/*.{ts,tsx}', 'apps/**/*.{ts,tsx}'],
    extends: [reactHooks.configs.flat['recommended-latest'], jsxA11y.flatConfigs.strict],
    languageOptions: { globals: globals.browser },
  },
  {
    files: ['packages/sdk/src/session/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...SHELL_ONLY],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Take randomness as an input.' },
        { object: 'Date', property: 'now', message: 'Take the time from the event.' },
      ],
    },
  },
  {
    files: ['**/*.{js,mjs}', '**/vite.config.ts', 'vitest.config.ts'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: globals.node },
  },
  prettier,
);
