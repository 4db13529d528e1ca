import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

const PAGES = ['dashboard', 'bots', 'history'];

/** Forbid imports in some files, with the reason. */
function only(files, group, message) {
  return { files: [files], rules: { 'no-restricted-imports': ['error', { patterns: [{ group, message }] }] } };
}

export default ts.config(
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
  {
    rules: {
      // Every index access is `T | undefined` here; `!` marks the ones whose bounds stand right before.
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  // Imports go one way: format <- i18n <- parts <- pages, shell <- App; the fold knows none of them.
  only('src/format/**', ['../**'], 'figures and times know nothing of the page'),
  only('src/parts/**', ['**/pages/**', '**/shell/**'], 'parts are used by pages and shell, not the other way'),
  only('src/shell/**', ['**/pages/**'], 'the frame does not know the pages'),
  ...PAGES.map((page) => {
    const others = PAGES.filter((one) => one !== page).map((one) => `../${one}/**`);
    return only(`src/pages/${page}/**`, [...others, '**/shell/**'], 'a page knows neither another page nor its frame');
  }),
  only(
    'src/live/{fold,view,backoff,staleness}.ts',
    ['*.svelte', '**/*.svelte', '**/i18n', '**/i18n/**'],
    'the fold is pure',
  ),
  { ignores: ['dist/', 'node_modules/', 'src/api/types.ts'] },
);
