/**
 * Every command that the papers tell somebody to type, and the test that runs it. What cannot be run by a test says why. A command that
 * is not here fails test/docs.test.ts: run it in a test first.
 */

/** The test runs the command, or the very file that the command runs. */
interface RunBy {
  readonly test: `test/${string}.ts`;
}

interface NotRun {
  readonly because: string;
}

const account = { because: 'It needs an account at AWS. What is ours of it is tried by test/infra/deploy.test.ts.' };
const measures = { because: 'It measures, for minutes, alone on a machine; what it wrote is in docs/.' };
const ofTheGate = { because: 'It is a part of npm test itself, or of .github/workflows/deploy.yml.' };

export const commands: Readonly<Record<string, RunBy | NotRun>> = {
  'npm ci': { because: 'Every run of the tests begins with it, here and in .github/workflows/deploy.yml.' },
  'npm test': { because: 'It is what runs all the others.' },
  'npm start': { test: 'test/local/start.test.ts' },
  'npm install': { test: 'test/infra/package.test.ts' },
  'npm audit': ofTheGate,
  'npm run lint': ofTheGate,
  'npm run types': ofTheGate,
  'npm run format': { because: 'It writes into the sources; npm run lint says whether it has anything to do.' },
  'npm run bundle': { test: 'test/infra/bundle.test.ts' },
  'npm run synth': { test: 'test/infra/app.test.ts' },
  'npm run deploy': { test: 'test/infra/deploy.test.ts' },
  'npm run package': { test: 'test/infra/package.test.ts' },
  'npm run configuration': { test: 'test/infra/docs.test.ts' },
  'npm run diagram': { test: 'test/infra/docs.test.ts' },
  'npm run schemas': { test: 'test/functions/event-schema.test.ts' },
  'npm run openapi': { test: 'test/functions/openapi.test.ts' },
  'npm run pictures': { because: 'It needs a Korean font on the machine, and writes into docs/images.' },
  'npm run storefront': { test: 'test/storefront/checkout.test.ts' },
  'npm run native': { test: 'test/storefront/native.test.ts' },
  'npm run ops': { test: 'test/ops/cli.test.ts' },
  'npx iamport-serverless': { test: 'test/infra/package.test.ts' },
  'npm run sbom': { test: 'test/supply-chain.test.ts' },
  'npm run simulate': { test: 'test/simulation/command.test.ts' },
  'npm run simulate:mutations': {
    because:
      'It plants every bug in turn and takes long; docs/proof.md has a run of it, and the gate sees that each still has its place.',
  },
  'npm run mutate': { because: 'It takes many minutes; docs/proof.md has what it found.' },
  'npm run hostile': { test: 'test/security/fuzz.test.ts' },
  'npm run chaos': { test: 'test/security/chaos.test.ts' },
  'npm run bench': measures,
  'npm run bench:cost': measures,
  'npm run bench:libraries': measures,
  'npm run bench:watching': measures,
  'npm run bench:reconcile': measures,
  'npx vitest': ofTheGate,
  'npx cdk': account,
  aws: account,
  curl: { test: 'test/local/readme.test.ts' },
};

/**
 * The commands of a paper, as the table above names them: of its shell blocks, and of its running text.
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
  // Settings of the environment come before it.
  const [first = '', second = '', third = ''] = command.replace(/^(?:[A-Z_]+=\S+ )+/, '').split(/\s+/);
  if (first === 'curl' || first === 'aws') return second ? first : undefined;
  if (first === 'npx' && second) return `npx ${second}`;
  if (first !== 'npm' || !second) return undefined;
  return second === 'run' ? `npm run ${third}` : `npm ${second}`;
}
