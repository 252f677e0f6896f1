/**
 * The confirmation by the shop in the local system. The URL of the template is replaced, so that the shop's real server
 * is never asked about a local payment.
 */

import type { CloudAssembly } from './template.ts';
import type { WebhookReceiver } from './webhooks.ts';

export interface LocalConfirm {
  /** The value of the signing secret, by ARN. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Overrides of a function's environment; empty for other functions than `confirm`. */
  environmentOf(functionId: string): Readonly<Record<string, string>>;
}

/** @throws Error when there is a receiver, and the template asks no URL */
export function localConfirm(assembly: CloudAssembly, receiver?: WebhookReceiver): LocalConfirm {
  const asking = assembly.ofType('AWS::Lambda::Function').find(({ properties }) => variablesIn(properties).CONFIRM_URL);
  if (receiver && !asking) throw new Error('The template asks no URL before an approval: add `confirm`.');
  const { CONFIRM_SECRET_ARN: arn = '' } = variablesIn(asking?.properties ?? {});
  const secret = receiver && JSON.stringify({ current: receiver.secret, previous: receiver.previousSecret ?? '' });
  return {
    secrets: new Map(secret ? [[arn, secret]] : []),
    environmentOf(functionId): Readonly<Record<string, string>> {
      if (functionId !== asking?.id) return {};
      return { CONFIRM_URL: receiver?.url ?? '', CONFIRM_LOOPBACK: 'allow' };
    },
  };
}

function variablesIn(properties: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const { Variables = {} } = (properties.Environment ?? {}) as { Variables?: Record<string, string> };
  return Variables;
}
