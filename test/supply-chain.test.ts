/** Third-party packages: their exact versions, their install scripts, and how the deployment workflow of a shop uses them. */

import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { STACK_RIGHTS } from '../ops/doctor-stack.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

interface Manifest {
  readonly version: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, unknown>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Locked {
  readonly version: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly inBundle?: boolean;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

const manifest: Manifest = JSON.parse(read('package.json'));
const lock: { lockfileVersion: number; packages: Record<string, Locked> } = JSON.parse(read('package-lock.json'));
const locked = Object.entries(lock.packages).filter(([path]) => path !== '');
const nameOf = (path: string) => path.replace(/^.*node_modules\//, '');

describe.each(['package.json', 'test/clients/package.json'])('%s', (file) => {
  test('pins every package to one version of the registry', () => {
    const { dependencies, devDependencies, optionalDependencies }: Manifest = JSON.parse(read(file));
    const versions = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies });
    expect(versions.length).toBeGreaterThan(3);
    expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  test('has a lock file with a hash of each package, and only the npm registry as its source', () => {
    const { packages }: typeof lock = JSON.parse(read(file.replace('package.json', 'package-lock.json')));
    const entries = Object.entries(packages).filter(([path]) => path !== '');
    // The hash of a package covers the packages that it bundles.
    const unhashed = entries.filter(([, { integrity, inBundle }]) => !integrity?.startsWith('sha512-') && !inBundle);
    expect(unhashed.map(([path]) => path)).toEqual([]);
    const foreign = entries.filter(
      ([, { resolved, link }]) => link || (resolved && !resolved.startsWith('https://registry.npmjs.org/')),
    );
    expect(foreign.map(([path]) => path)).toEqual([]);
  });
});

test('the Next.js example has exact versions, no lock file, and the package of this version', () => {
  const { dependencies, devDependencies }: Manifest = JSON.parse(read('examples/nextjs/package.json'));
  const { 'iamport-serverless': ours, ...others } = { ...dependencies, ...devDependencies };
  expect(ours).toBe(`file:../../dist/iamport-serverless-${manifest.version}.tgz`);
  expect(Object.entries(others).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  // The hash of a lock file would be of one build of that package.
  expect(read('examples/nextjs/.npmrc')).toContain('package-lock=false');
  expect(locked.filter(([path]) => nameOf(path) === 'next')).toEqual([]);
});

describe('a package', () => {
  test('runs no install script: allowScripts lists every one, and allows none', () => {
    const withScripts = locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path));
    expect([...new Set(withScripts)].sort()).toEqual(Object.keys(manifest.allowScripts).sort());
    expect(Object.values(manifest.allowScripts)).toEqual(withScripts.map(() => false));
  });

  test('is imported by functions/ only if it is one of these', () => {
    expect(Object.keys(manifest.dependencies)).toEqual([
      '@aws-sdk/client-dynamodb',
      '@aws-sdk/client-eventbridge',
      '@aws-sdk/client-secrets-manager',
      '@smithy/signature-v4',
      'undici',
      'zod',
    ]);
    expect(importedBy('functions')).toEqual([...Object.keys(manifest.dependencies), '(types) aws-lambda'].sort());
  });

  test('is a transitive dependency of those only if it is from AWS, or one of these', () => {
    const deployed = locked.filter(([, { dev, optional }]) => !dev && !optional).map(([path]) => nameOf(path));
    expect(deployed).toContain('@aws-sdk/core');
    const others = deployed.filter(
      (name) => !/^@(aws-sdk|smithy|aws)\//.test(name) && !(name in manifest.dependencies),
    );
    expect(others.sort()).toEqual(['bowser', 'mnemonist', 'obliterator', 'tslib']);
  });
});

/** The packages that the sources of a folder import. `(types)` marks those with type imports only. */
function importedBy(folder: string): string[] {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const names = new Map<string, boolean>();
  for (const file of files) {
    for (const [, type, from = ''] of read(join(folder, file)).matchAll(
      /^(?:import|export)( type)? [^;]*?from '([^.'][^']*)'/gms,
    )) {
      if (from.startsWith('node:')) continue;
      const name = from
        .split('/')
        .slice(0, from.startsWith('@') ? 2 : 1)
        .join('/');
      names.set(name, (names.get(name) ?? false) || !type);
    }
  }
  return [...names].map(([name, isRun]) => (isRun ? name : `(types) ${name}`)).sort();
}

test('npm run sbom lists every package, and marks those that deploy as required', async () => {
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], { cwd: root, maxBuffer: 2 ** 26 });
  const bom: {
    bomFormat: string;
    components: { name: string; version: string; scope: string; hashes?: { content: string }[] }[];
  } = JSON.parse(stdout);
  expect(bom.bomFormat).toBe('CycloneDX');
  const deployed = locked.filter(([, { dev, optional }]) => !dev && !optional);
  expect(
    bom.components
      .filter(({ scope }) => scope === 'required')
      .map(({ name, version }) => `${name}@${version}`)
      .sort(),
  ).toEqual(deployed.map(([path, { version }]) => `${nameOf(path)}@${version}`).sort());
  const all = new Set(locked.map(([path, { version }]) => `${nameOf(path)}@${version}`));
  expect(new Set(bom.components.map(({ name, version }) => `${name}@${version}`))).toEqual(all);
});

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly needs?: string;
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

describe('the deployment workflow', () => {
  const source = read('.github/workflows/deploy.yml');
  const workflow: { permissions: Record<string, string>; jobs: { gate: Job; deploy: Job } } = parse(source);
  const { gate, deploy } = workflow.jobs;
  const steps = [...gate.steps, ...deploy.steps];
  const runs = ({ steps: all }: Job) => all.flatMap(({ run }) => run ?? []);

  test('runs only npm scripts that exist', () => {
    const scripts = [...runs(gate), ...runs(deploy)].flatMap((run) => [
      ...run.matchAll(/npm (?:run )?(?:--silent )?([a-z:]+)/g),
    ]);
    const own = scripts.map(([, name = '']) => name).filter((name) => !['ci', 'audit'].includes(name));
    expect(own).toEqual(['test', 'sbom', 'synth', 'deploy', 'verify', 'ops']);
    for (const name of own) expect(manifest.scripts).toHaveProperty(name);
  });

  test('installs from the lock file, audits vulnerabilities and signatures, and tests before it deploys', () => {
    expect(runs(gate).slice(0, 4)).toEqual(['npm ci', 'npm audit --omit=dev', 'npm audit signatures', 'npm test']);
    expect(deploy.needs).toBe('gate');
    expect(runs(deploy)).toEqual([
      'npm ci',
      'npm run synth',
      'npx cdk diff --app cdk.out',
      'npm run deploy -- --require-approval never',
      'npm run verify',
      'npm run ops -- doctor',
    ]);
  });

  test('has no AWS key, and requests a temporary one only in the deploy job', () => {
    expect(source).not.toMatch(/secrets\.|aws-access-key-id|aws-secret-access-key/);
    expect(workflow.permissions).toEqual({ contents: 'read' });
    expect(gate.permissions).toBeUndefined();
    expect(deploy.permissions).toEqual({ contents: 'read', 'id-token': 'write' });
    expect(steps.find(({ uses }) => uses?.startsWith('aws-actions/'))?.with).toHaveProperty('role-to-assume');
  });

  test('deploys with a role that only its own environment can assume, with the CDK roles and the rights of the checks', () => {
    const named = (parameter: string) => `\${${parameter}}`;
    const { Resources, Parameters } = JSON.parse(read('docs/github-role.json'));
    const { AssumeRolePolicyDocument: trust, Policies, MaxSessionDuration } = Resources.Deployer.Properties;
    expect(trust.Statement).toHaveLength(1);
    expect(trust.Statement[0]).toMatchObject({
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: {
        StringEquals: {
          'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
          'token.actions.githubusercontent.com:sub': {
            'Fn::Sub': `repo:${named('Repository')}:environment:${named('Environment')}`,
          },
        },
      },
    });
    expect(Parameters.Environment.Default).toBe(deploy.environment);
    // A wildcard in a parameter would permit other repositories.
    for (const { AllowedPattern } of [Parameters.Repository, Parameters.Environment, Parameters.Stack]) {
      expect(new RegExp(`^${AllowedPattern}$`).test('shop/*')).toBe(false);
      expect(new RegExp(`^${AllowedPattern}$`).test('*')).toBe(false);
    }
    expect(MaxSessionDuration).toBe(3600);
    expect(
      Policies.map(({ PolicyDocument }: { PolicyDocument: { Statement: unknown } }) => PolicyDocument.Statement),
    ).toEqual([
      [
        {
          Effect: 'Allow',
          Action: 'sts:AssumeRole',
          Resource: ['deploy', 'file-publishing', 'lookup'].map((role) => ({
            'Fn::Sub': `arn:${named('AWS::Partition')}:iam::${named('AWS::AccountId')}:role/cdk-*-${role}-role-*`,
          })),
        },
        {
          Effect: 'Allow',
          Action: ['cloudformation:DescribeStacks', 'events:DescribeEventBus', 'lambda:GetAccountSettings'],
          Resource: '*',
        },
        {
          Effect: 'Allow',
          Action: 'cloudformation:SetStackPolicy',
          Resource: {
            'Fn::Sub': `arn:${named('AWS::Partition')}:cloudformation:*:${named('AWS::AccountId')}:stack/${named('Stack')}/*`,
          },
        },
      ],
      expect.any(Array),
    ]);
    const reads: string[] = Policies[1].PolicyDocument.Statement.flatMap(({ Action }: { Action: string[] }) => Action);
    expect(reads.filter((action) => !/:(?:Get|List|Describe|BatchGet|Query)/.test(action))).toEqual([
      // The access token that all instances share.
      'dynamodb:UpdateItem',
      // The temporary rule and queue of verify.
      ...['sqs:CreateQueue', 'sqs:DeleteQueue', 'sqs:ReceiveMessage'],
      ...['events:DeleteRule', 'events:PutRule', 'events:PutTargets', 'events:RemoveTargets'],
    ]);
    for (const right of STACK_RIGHTS) expect(reads).toContain(right);
  });

  test('pins actions to a commit, with the release as a comment', () => {
    const used = steps.flatMap(({ uses }) => uses ?? []);
    expect(used.length).toBeGreaterThan(5);
    expect(used.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/.test(action))).toEqual([]);
    expect(source.match(/uses: .*# v\d+\.\d+\.\d+$/gm)).toHaveLength(used.length);
  });
});
