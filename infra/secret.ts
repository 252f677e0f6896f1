/** The secrets: the shop's keys at Iamport, which the operator writes once; the keys of the shop's server, and signing secrets, which the stack generates. */
import { RemovalPolicy, SecretValue, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { shopKeyTextLength } from '../functions/shared/shop-keys.ts';
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

/**
 * A secret with `{"current": "<random text>"}`, from which functions/shared/shop-keys.ts makes the keys. Never change the properties
 * of the random text: CloudFormation would generate another one, and so replace the shop's keys.
 */
export function shopKeysSecret(scope: Construct, { removal }: Settings, encryptionKey?: IKey): Secret {
  const secret = new Secret(scope, 'ShopKeys', {
    description: 'Keys of the server of the shop. npm run ops -- keys shows and changes them.',
    generateSecretString: {
      secretStringTemplate: '{}',
      generateStringKey: 'current',
      passwordLength: shopKeyTextLength,
      excludePunctuation: true,
    },
    removalPolicy: removal === 'keep' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    ...(encryptionKey && { encryptionKey }),
  });
  Validations.of(secret).acknowledge({
    id: 'AwsSolutions::AwsSolutions-SMG4',
    reason:
      'A key that rotates by itself would cut off the server of the shop. The operator changes it: ops -- keys rotate.',
  });
  return secret;
}

/**
 * Never change these. CloudFormation generates a new secret when they differ from those of the last deployment, and receivers
 * would refuse its signatures. 44 letters and digits are base64 of 33 bytes, and have 262 random bits.
 */
const GENERATED = {
  secretStringTemplate: '{"previous":""}',
  generateStringKey: 'current',
  passwordLength: 44,
  excludePunctuation: true,
};

/** A secret with `{"current", "previous"}` that signs requests to the shop's server. @param purpose begins its description */
export function signingSecret(
  scope: Construct,
  purpose: string,
  { removal }: Settings,
  encryptionKey: IKey | undefined,
): Secret {
  const secret = new Secret(scope, 'Secret', {
    description: `${purpose}: {"current", "previous"}, each base64 with or without whsec_`,
    generateSecretString: GENERATED,
    removalPolicy: removal === 'keep' ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE : RemovalPolicy.DESTROY,
    ...(encryptionKey && { encryptionKey }),
  });
  Validations.of(secret).acknowledge({
    id: 'AwsSolutions::AwsSolutions-SMG4',
    reason: 'The receiver needs a new secret first: the operator changes it, while both secrets are valid.',
  });
  return secret;
}
