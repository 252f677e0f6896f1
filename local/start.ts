/**
 * The entry of `npm start`. Node.js keeps what it compiles from TypeScript in the system's folder for temporary files, so that the next
 * start loads its modules with a third less CPU. That must be on before the first of them is loaded.
 */

import { enableCompileCache } from 'node:module';

enableCompileCache();
await import('./main.ts');
