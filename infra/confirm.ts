/**
 * Confirmation by the shop before Iamport approves a payment: the function `confirm` asks a URL of the shop's server, or a function
 * of the shop.
 */
import { CfnOutput } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Settings } from './config.ts';
import type { Functions } from './functions.ts';
import { signingSecret } from './secret.ts';
import { hostIn } from './webhooks.ts';

type ConfirmSettings = NonNullable<Settings['confirm']>;

/** @returns the secret that signs the questions: `{"current", "previous"}` */
export function confirmByServer(
  payments: Construct,
  functions: Functions,
  { url, otherwise }: ConfirmSettings,
  settings: Settings,
  encryptionKey: IKey | undefined,
): ISecret {
  // Without the URL in its name: another URL keeps the secret.
  const scope = new Construct(payments, 'Confirm');
  const secret = signingSecret(scope, `Signs confirmations to ${hostIn(url)}`, settings, encryptionKey);
  const environment = { CONFIRM_URL: url, CONFIRM_SECRET_ARN: secret.secretArn, CONFIRM_OTHERWISE: otherwise };
  const read = new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [secret.secretArn] });
  functions.extend('confirm', environment, read);
  new CfnOutput(scope, 'SecretArn', {
    value: secret.secretArn,
    description: `The secret that signs confirmations to ${hostIn(url)}: whsec_ and the value of "current".`,
  });
  return secret;
}

/** The function of the shop needs no resource policy within its account: the right of the caller is enough. */
export function confirmByFunction(
  functions: Functions,
  { functionArn }: IFunction,
  otherwise: ConfirmSettings['otherwise'],
): void {
  const environment = { CONFIRM_FUNCTION_ARN: functionArn, CONFIRM_OTHERWISE: otherwise };
  const invoke = new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [functionArn] });
  functions.extend('confirm', environment, invoke);
}
