/** For a text that is stored: DynamoDB refuses an unpaired surrogate, so the shop would get a 503 at each repeat. */

import * as z from 'zod/mini';

export const wellFormed = z.regex(/^\P{Cs}*$/u, 'must have no unpaired surrogate, as of a cut emoji');
