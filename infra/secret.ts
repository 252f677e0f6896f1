/** The keys of the shop's Iamport account. The stack makes the place for them; a person puts them in, once. */
import { RemovalPolicy, SecretValue, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import type { Settings } from './config.ts';

/**
 * Never change this text: CloudFormation writes it into the secret whenever it differs from the text of the last
 * deployment, and the shop's keys would be gone.
 */
const PLACEHOLDER = '{"imp_key":"","imp_secret":""}';

/** A secret that holds `{"imp_key", "imp_secret"}`, both empty until someone fills them in. */
export function iamportSecret(scope: Construct, { removal }: Settings, encryptionKey?: IKey): Secret {
  const secret = new Secret(scope, 'Secret', {
    description: 'Iamport REST API keys as JSON: {"imp_key": "REST API key", "imp_secret": "REST API secret"}',
    secretStringValue: SecretValue.unsafePlainText(PLACEHOLDER),
    removalPolicy: removal === 'keep' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    ...(encryptionKey && { encryptionKey }),
  });
  Validations.of(secret).acknowledge({
    id: 'AwsSolutions::AwsSolutions-SMG4',
    reason: 'Iamport has no API that renews its keys: a person renews them in its console, and writes them here.',
  });
  return secret;
}
