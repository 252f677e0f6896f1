/**
 * Reads and checks the environment variables of the function `deliver`. Not in config.ts, since every function has that file in its
 * bundle.
 */

import * as z from 'zod/mini';
import { type Config, checked, deployment, oneOf, required, type Variables } from './config.ts';

/** One destination of webhooks. */
export interface DeliverConfig extends Pick<Config, 'deployment'> {
  readonly url: string;
  readonly secretArn: string;
  readonly queueUrl: string;
  /** For webhooks that are not sent again. */
  readonly deadLettersUrl: string;
  /** From the name lookup to the end of the response. */
  readonly timeoutMs: number;
  /** The local system allows http, and only to this machine. */
  readonly allowsLoopback: boolean;
}

const deliverEnvironment = z.object({
  DEPLOYMENT: deployment,
  WEBHOOK_URL: z.url('must be a URL'),
  WEBHOOK_SECRET_ARN: required,
  WEBHOOK_QUEUE_URL: z.url('must be a URL'),
  WEBHOOK_DEAD_LETTERS_URL: z.url('must be a URL'),
  // Neither is in the template: the local system and its tests set them.
  WEBHOOK_LOOPBACK: oneOf('refuse', 'allow'),
  WEBHOOK_TIMEOUT_MS: z._default(z.coerce.number(), 10_000),
});

/** @throws Error that lists every invalid variable by name */
export function deliverConfigFrom(variables: Variables): DeliverConfig {
  const env = checked(deliverEnvironment, variables);
  return {
    deployment: env.DEPLOYMENT,
    url: env.WEBHOOK_URL,
    secretArn: env.WEBHOOK_SECRET_ARN,
    queueUrl: env.WEBHOOK_QUEUE_URL,
    deadLettersUrl: env.WEBHOOK_DEAD_LETTERS_URL,
    timeoutMs: env.WEBHOOK_TIMEOUT_MS,
    allowsLoopback: env.WEBHOOK_LOOPBACK === 'allow',
  };
}
