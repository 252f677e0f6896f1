/** What the global set-up hands to every test. */

import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';

declare module 'vitest' {
  interface ProvidedContext {
    /** The endpoint of the DynamoDB Local of this run. */
    dynamodbEndpoint: string;
    /** The tables of the template, by the word that the store uses for them. */
    tables: Record<'orders' | 'reversals' | 'state', CreateTableCommandInput>;
  }
}
