/**
 * Once for a whole run of tests: the template and the bundles that deploy, one DynamoDB Local, the browser. What is missing
 * is a loud failure that says what to install.
 */

import type { TestProject } from 'vitest/node';
import { localAssembly } from '../../local/assembly.ts';
import { tableOf } from '../../local/aws/dynamodb.ts';
import { startDynamodbLocal } from '../../local/aws/dynamodb-local.ts';
import { CloudAssembly } from '../../local/aws/template.ts';
import { locateBrowser } from '../support/browser.ts';
import type { TableName } from '../support/provided.d.ts';
import { shippedContext } from './shipped.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    throw new Error(
      `The tests run on Node.js 24, as Lambda does; this is ${process.version}. Run npm ci, then npm test.`,
    );
  }
  const dynamodb = await startDynamodbLocal();
  // Unpacks the browser once: test files that ran side by side would unpack over each other.
  await locateBrowser();
  const assembly = await localAssembly(shippedContext);
  project.provide('dynamodbEndpoint', dynamodb.endpoint);
  project.provide('assembly', assembly);
  project.provide('tables', tablesOf(CloudAssembly.read(assembly)));
  return () => dynamodb.close();
}

function tablesOf(assembly: CloudAssembly) {
  const tables = assembly.ofType('AWS::DynamoDB::GlobalTable').map(({ id, properties }) => {
    const name = id.replace(/^PaymentsTables|[0-9A-F]{8}$/g, '').toLowerCase();
    return [name, tableOf(name, properties)];
  });
  return Object.fromEntries(tables) as Record<TableName, ReturnType<typeof tableOf>>;
}
