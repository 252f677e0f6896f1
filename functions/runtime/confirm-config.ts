/**
 * Reads and checks the environment variables that only the function `confirm` has. Not in config.ts, since every
 * function has that file in its bundle.
 */

import * as z from 'zod/mini';
import type { ConfirmingShop } from '../application/confirm.ts';
import { checked, oneOf, type Variables } from './config.ts';

/** Who is asked before an approval. */
export type ConfirmConfig = Pick<ConfirmingShop, 'otherwise'> &
  (
    | {
        readonly asks: 'server';
        readonly url: string;
        readonly secretArn: string;
        /** The local system allows http, and only to this machine. */
        readonly allowsLoopback: boolean;
      }
    | { readonly asks: 'function'; readonly functionArn: string; readonly lambdaUrl: string }
  );

const text = z._default(z.string(), '');

const confirmEnvironment = z.object({
  // Empty in the local system, which never asks the real server of the shop.
  CONFIRM_URL: text,
  CONFIRM_SECRET_ARN: text,
  CONFIRM_FUNCTION_ARN: text,
  CONFIRM_OTHERWISE: oneOf('approve', 'refuse'),
  // Neither is in the template: the local system and its tests set them.
  CONFIRM_LOOPBACK: oneOf('refuse', 'allow'),
  AWS_ENDPOINT_URL_LAMBDA: z.optional(z.url('must be a URL')),
});

/**
 * @returns undefined when the shop is not asked
 * @throws Error that lists every invalid variable by name
 */
export function confirmConfigFrom(variables: Variables): ConfirmConfig | undefined {
  const env = checked(confirmEnvironment, variables);
  const otherwise = env.CONFIRM_OTHERWISE;
  if (env.CONFIRM_URL) {
    const allowsLoopback = env.CONFIRM_LOOPBACK === 'allow';
    return { asks: 'server', otherwise, url: env.CONFIRM_URL, secretArn: env.CONFIRM_SECRET_ARN, allowsLoopback };
  }
  if (!env.CONFIRM_FUNCTION_ARN) return undefined;
  const region = env.CONFIRM_FUNCTION_ARN.split(':')[3];
  const lambdaUrl = env.AWS_ENDPOINT_URL_LAMBDA ?? `https://lambda.${region}.amazonaws.com`;
  return { asks: 'function', otherwise, functionArn: env.CONFIRM_FUNCTION_ARN, lambdaUrl };
}
