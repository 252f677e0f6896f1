/** The values that the global setup provides to every test. */

import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';

export type TableName = 'orders' | 'reversals' | 'state';

declare module 'vitest' {
  interface ProvidedContext {
    /** The endpoint of the DynamoDB Local of this run. */
    dynamodbEndpoint: string;
    /** The cloud assembly of this run: the deployed template and bundles. */
    assembly: string;
    /** The tables of the template, by the names that the adapters use. */
    tables: Record<TableName, CreateTableCommandInput>;
  }
}
