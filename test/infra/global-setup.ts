/**
 * The global setup of the projects `integration` and `e2e`: the template and the bundles that deploy, one DynamoDB Local, the browser.
 * A missing tool fails the run with an error that names what to install.
 */

import type { TestProject } from 'vitest/node';
import { localAssembly } from '../../local/assembly.ts';
import { tableOf } from '../../local/aws/dynamodb.ts';
import { startDynamodbLocal } from '../../local/aws/dynamodb-local.ts';
import { CloudAssembly } from '../../local/aws/template.ts';
import { locateBrowser } from '../support/browser.ts';
import type { TableName } from '../support/provided.d.ts';
import { shippedContext } from './shipped.ts';

interface Started {
  readonly dynamodb: Awaited<ReturnType<typeof startDynamodbLocal>>;
  readonly assembly: string;
}

/** Vitest runs this file once for each project, in one process: the second project gets what the first one started. */
const shared = globalThis as { iamportSetup?: Promise<Started>; iamportSetups?: number };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.iamportSetup ??= start();
  shared.iamportSetups = (shared.iamportSetups ?? 0) + 1;
  const { dynamodb, assembly } = await shared.iamportSetup;
  project.provide('dynamodbEndpoint', dynamodb.endpoint);
  project.provide('assembly', assembly);
  project.provide('tables', tablesOf(CloudAssembly.read(assembly)));
  return async () => {
    shared.iamportSetups = (shared.iamportSetups ?? 0) - 1;
    if (shared.iamportSetups === 0) await dynamodb.close();
  };
}

async function start(): Promise<Started> {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    throw new Error(
      `The tests run on Node.js 24, as Lambda does; this is ${process.version}. Run npm ci, then npm test.`,
    );
  }
  const dynamodb = await startDynamodbLocal();
  // Unpacks the browser once: two test files that unpack at the same time overwrite each other's files.
  await locateBrowser();
  return { dynamodb, assembly: await localAssembly(shippedContext) };
}

function tablesOf(assembly: CloudAssembly) {
  const tables = assembly.ofType('AWS::DynamoDB::GlobalTable').map(({ id, properties }) => {
    const name = id.replace(/^PaymentsTables|[0-9A-F]{8}$/g, '').toLowerCase();
    return [name, tableOf(name, properties)];
  });
  return Object.fromEntries(tables) as Record<TableName, ReturnType<typeof tableOf>>;
}
