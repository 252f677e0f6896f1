/**
 * Every command in the docs, with the test that runs it, or the reason why no test does. A command that is missing here fails
 * test/docs.test.ts: run it in a test first.
 */

/** The test runs the command, or the file that the command runs. */
interface RunBy {
  readonly test: `test/${string}.ts`;
}

interface NotRun {
  readonly because: string;
}

const needsAccount = { because: 'It needs an AWS account. test/infra/deploy.test.ts tests our part of it.' };
const isBenchmark = { because: 'It measures for minutes, on a machine without other load; its results are in docs/.' };
const runsInCi = { because: 'CI runs it, in npm test or in .github/workflows/deploy.yml.' };

export const commands: Readonly<Record<string, RunBy | NotRun>> = {
  'npm ci': { because: 'Every test run begins with it, also in .github/workflows/deploy.yml.' },
  'npm test': { because: 'It runs all other tests.' },
  'npm run test:unit': { because: 'It runs a part of the tests that npm test runs.' },
  'npm start': { test: 'test/local/start.test.ts' },
  'npm install': { test: 'test/infra/package.test.ts' },
  'npm audit': runsInCi,
  'npm run lint': runsInCi,
  'npm run types': runsInCi,
  'npm run format': { because: 'It writes into the sources; npm run lint reports the same differences.' },
  'npm run bundle': { test: 'test/infra/bundle.test.ts' },
  'npm run synth': { test: 'test/infra/app.test.ts' },
  'npm run deploy': { test: 'test/infra/deploy.test.ts' },
  'npm run package': { test: 'test/infra/package.test.ts' },
  'npm run configuration': { test: 'test/infra/docs.test.ts' },
  'npm run diagram': { test: 'test/infra/docs.test.ts' },
  'npm run proof': { test: 'test/docs.test.ts' },
  'npm run schemas': { test: 'test/functions/event-schema.test.ts' },
  'npm run openapi': { test: 'test/functions/openapi.test.ts' },
  'npm run moving-picture': { because: 'It needs a Korean font on the machine, and writes into docs/images.' },
  'npm run pictures': { because: 'It needs a Korean font on the machine, and writes into docs/images.' },
  'npm run storefront': { test: 'test/storefront/checkout.test.ts' },
  'npm run native': { test: 'test/storefront/native.test.ts' },
  'npm run ops': { test: 'test/ops/cli.test.ts' },
  'npm run verify': { test: 'test/ops/verify.test.ts' },
  'npx iamport-serverless': { test: 'test/infra/package.test.ts' },
  'npm run sbom': { test: 'test/supply-chain.test.ts' },
  'npm run simulate': { test: 'test/simulation/command.test.ts' },
  'npm run simulate:mutations': {
    because:
      'It runs the simulation for every planted bug; docs/proof.md has its results, and CI checks that each bug has its place.',
  },
  'npm run mutate': { because: 'It takes many minutes; docs/proof.md has its results.' },
  'npm run fuzz': { test: 'test/security/fuzz.test.ts' },
  'npm run chaos': { test: 'test/security/chaos.test.ts' },
  'npm run bench': isBenchmark,
  'npm run bench:cost': isBenchmark,
  'npm run bench:volume': isBenchmark,
  'npm run bench:libraries': isBenchmark,
  'npm run bench:watching': isBenchmark,
  'npm run bench:reconcile': isBenchmark,
  'npx next': {
    because: 'Next.js is no dependency. test/e2e/examples.test.ts runs it where it is installed in examples/nextjs.',
  },
  'npx vitest': runsInCi,
  'npx cdk': needsAccount,
  aws: needsAccount,
  curl: { test: 'test/local/readme.test.ts' },
};

/**
 * The commands in the shell blocks and the inline code of a document, under the names of `commands`.
 * @param text Markdown
 */
export function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/^ *```sh\n([\s\S]*?)^ *```/gm)].map(([, block = '']) =>
    block.replace(/\\\n\s*/g, ' '),
  );
  const spans = [...text.replace(/^ *```[\s\S]*?^ *```/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
  const lines = [...blocks.flatMap((block) => block.split('\n')), ...spans];
  return lines.flatMap((line) => line.split(/&&|\$\(/)).flatMap((part) => nameOf(part.trim()) ?? []);
}

function nameOf(command: string): string | undefined {
  // Environment variables precede the command.
  const [first = '', second = '', third = ''] = command.replace(/^(?:[A-Z_]+=\S+ )+/, '').split(/\s+/);
  if (first === 'curl' || first === 'aws') return second ? first : undefined;
  if (first === 'npx' && second) return `npx ${second}`;
  if (first !== 'npm' || !second) return undefined;
  return second === 'run' ? `npm run ${third}` : `npm ${second}`;
}
