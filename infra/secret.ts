/** The secret with the keys of the shop's Iamport account. The stack creates it; the operator writes the keys into it, once. */
import { RemovalPolicy, SecretValue, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { Settings } from './config.ts';

/**
 * Never change this text. CloudFormation writes it into the secret when it differs from the text of the last deployment, and so
 * would overwrite the shop's keys.
 */
const PLACEHOLDER = '{"imp_key":"","imp_secret":""}';

/** A secret with `{"imp_key", "imp_secret"}`, both empty until the operator writes them. */
export function iamportSecret(scope: Construct, { removal }: Settings, encryptionKey?: IKey): Secret {
  const secret = new Secret(scope, 'Secret', {
    description: 'Iamport REST API keys as JSON: {"imp_key": "REST API key", "imp_secret": "REST API secret"}',
    secretStringValue: SecretValue.unsafePlainText(PLACEHOLDER),
    removalPolicy: removal === 'keep' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    ...(encryptionKey && { encryptionKey }),
  });
  Validations.of(secret).acknowledge({
    id: 'AwsSolutions::AwsSolutions-SMG4',
    reason: 'Iamport has no API that renews its keys: the operator renews them in its console, and writes them here.',
  });
  return secret;
}
