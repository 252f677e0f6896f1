/** What the global set-up hands to every test. */

import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';

export type TableName = 'orders' | 'reversals' | 'state';

declare module 'vitest' {
  interface ProvidedContext {
    /** The endpoint of the DynamoDB Local of this run. */
    dynamodbEndpoint: string;
    /** The cloud assembly of this run: the template and the bundles, as they deploy. */
    assembly: string;
    /** The tables of the template, by the word that the store uses for them. */
    tables: Record<TableName, CreateTableCommandInput>;
  }
}
