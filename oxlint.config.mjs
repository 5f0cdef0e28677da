// oxlint's settings. They are JavaScript so that the layers can be written down once.

const packages = { drivers: 'pg|better-sqlite3', umzug: 'umzug', sequelize: 'sequelize', node: 'node:.*' };

/**
 * The override for a layer: what it must not import.
 * @param {string} files
 * @param {string} forbiddenPackages a regular expression
 * @param {string} forbiddenFolders those above the layer; their types may be imported
 */
function layer(files, forbiddenPackages, forbiddenFolders) {
  const patterns = [
    { regex: `^(${forbiddenPackages})$`, message: 'This layer knows nothing of it.' },
    { regex: `^(\\.\\./)+(${forbiddenFolders})(/|$)`, message: 'Imports go downwards only.', allowTypeImports: true },
  ];
  return { files: [files], rules: { 'no-restricted-imports': ['error', { patterns }] } };
}

const top = 'main\\.ts|cli';
const operations = `${top}|operations`;
const topics = `${operations}|execution|assessment|migration|repair|quarantine|backup|restore|reset|seed`;
const facts = `${topics}|schema|archive|state-folder`;
const { drivers, umzug, sequelize, node } = packages;
const all = `${drivers}|${umzug}|${sequelize}`;

export default {
  jsPlugins: ['./scripts/lint/sentences.mjs'],
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'node', 'promise', 'vitest'],
  categories: { correctness: 'error', suspicious: 'error', perf: 'error' },
  env: { node: true, es2023: true },
  ignorePatterns: ['dist', 'data', 'coverage', 'test/fixtures'],
  rules: {
    eqeqeq: 'error',
    'no-console': 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'import/no-cycle': ['error', { ignoreTypes: false }],
    'import/no-default-export': 'error',
    'node/no-process-env': 'error',
    'unicorn/no-process-exit': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/no-deprecated': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/no-unsafe-argument': 'error',
    'typescript/no-unsafe-assignment': 'error',
    'typescript/no-unsafe-call': 'error',
    'typescript/no-unsafe-function-type': 'error',
    'typescript/no-unsafe-member-access': 'error',
    'typescript/no-unsafe-return': 'error',
    'typescript/no-unsafe-type-assertion': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/prefer-nullish-coalescing': 'error',
    'typescript/prefer-promise-reject-errors': 'error',
    'typescript/return-await': ['error', 'error-handling-correctness-only'],
    'typescript/switch-exhaustiveness-check': ['error', { allowDefaultCaseForExhaustiveSwitch: false }],
    // tsc's noImplicitReturns knows that nothing comes after an exhaustive switch; this rule does not.
    'typescript/consistent-return': 'off',
    // Statements of one connection and files of one backup go one after the other on purpose.
    'no-await-in-loop': 'off',
    // The driver is a CommonJS package: its classes are members of the default export.
    'import/no-named-as-default-member': 'off',
    // A new object for each row is what an immutable style means.
    'oxc/no-map-spread': 'off',
    // A helper may stand beside the only function that uses it.
    'unicorn/consistent-function-scoping': 'off',
    // Tests are looped over both engines, and skipped with a reason where one is missing.
    'vitest/no-conditional-tests': 'off',
    'vitest/no-disabled-tests': 'off',
    'vitest/valid-title': 'off',
    'vitest/valid-describe-callback': 'off',
    'vitest/valid-expect': ['error', { maxArgs: 2 }],
  },
  // main → cli → operations → {execution, assessment, migration, repair, quarantine, backup, restore, reset, seed}
  // → {schema, archive, state-folder} → database → {config, errors, model, platform}.
  // A later override replaces an earlier one's setting of the same rule.
  overrides: [
    layer('src/{*.ts,cli/**}', all, 'main\\.ts'),
    layer('src/operations/**', all, top),
    layer('src/{execution,assessment,repair,quarantine,backup,restore,reset}/**', all, operations),
    layer('src/seed/**', `${drivers}|${umzug}`, operations),
    layer('src/migration/**', `${drivers}|${sequelize}`, operations),
    layer('migrations/**', all, operations),
    layer('src/{schema,archive,state-folder,compose}/**', all, topics),
    layer('src/database/**', `${umzug}|${sequelize}`, facts),
    layer('src/notify/**', all, `${facts}|database`),
    layer('src/{config,errors,model,platform,report}/**', all, `${facts}|database`),
    // The specification in code: no I/O, no clock, no environment.
    layer(
      'src/assessment/{diagnosis,plan}.ts',
      `${all}|${node}`,
      `${operations}|repair|quarantine|backup|restore|reset|seed|database|config|report`,
    ),
    { files: ['src/**'], rules: { 'db-init/sentences-in-report': 'error' } },
    { files: ['src/report/**'], rules: { 'db-init/sentences-in-report': 'off' } },
    {
      files: ['src/{archive,backup,compose,notify,operations,platform,reset,restore,state-folder}/**'],
      rules: { 'db-init/no-prose': 'error' },
    },
    { files: ['src/{main,library}.ts'], rules: { 'node/no-process-env': 'off' } },
    { files: ['src/main.ts'], rules: { 'unicorn/no-process-exit': 'off' } },
    // what a file is worth that was evaluated only the build knows
    { files: ['scripts/loader.cjs'], rules: { 'typescript/no-unsafe-type-assertion': 'off' } },
    {
      files: ['test/**', 'bench/**', 'scripts/**', '*.config.*'],
      rules: { 'no-console': 'off', 'node/no-process-env': 'off', 'import/no-default-export': 'off' },
    },
    {
      // vitest's matchers are typed `any`.
      files: ['test/**'],
      rules: { 'typescript/no-unsafe-assignment': 'off' },
    },
    {
      // Plain JavaScript has no types to be safe with.
      files: ['**/*.mjs'],
      rules: {
        'typescript/no-unsafe-argument': 'off',
        'typescript/no-unsafe-assignment': 'off',
        'typescript/no-unsafe-call': 'off',
        'typescript/no-unsafe-member-access': 'off',
        'typescript/no-unsafe-return': 'off',
        'typescript/require-array-sort-compare': 'off',
      },
    },
  ],
};
