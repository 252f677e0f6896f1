/**
 * The CDK app, for `npm run synth` and `cdk deploy`. It needs no AWS account and no network. The configuration is the context
 * `iamport` of cdk.json.
 */
import { join, relative } from 'node:path';
import { App } from 'aws-cdk-lib';
import flags from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { bundleFunctions } from './bundle.ts';
import { ConfigurationError, readSettings } from './config.ts';
import { cdkContext, PROJECT_ROOT } from './context.ts';
import { addShop } from './shop.ts';
import { PaymentsStack } from './stack.ts';

/**
 * Checks the configuration, bundles the functions and synthesizes the stack. Context that the CDK's command line passes in the
 * environment overrides `context`.
 * @param add adds the shop's own resources to the stack
 * @returns the directory of the cloud assembly
 * @throws ConfigurationError when the context `iamport` is not valid
 */
export async function synthesize(
  context: Record<string, unknown>,
  outdir: string,
  add?: typeof addShop,
): Promise<string> {
  // Usage reporting would add a resource to the template.
  const app = new App({ context, postCliContext: flags, outdir, analyticsReporting: false });
  const settings = readSettings(app.node.tryGetContext('iamport'));
  await bundleFunctions();
  const stack = new PaymentsStack(app, settings);
  add?.(stack, stack.payments);
  return app.synth().directory;
}

async function main(): Promise<void> {
  const { CDK_OUTDIR } = process.env;
  const directory = await synthesize(cdkContext(), CDK_OUTDIR ?? join(PROJECT_ROOT, 'cdk.out'), addShop);
  if (!CDK_OUTDIR) console.log(`Synthesized into ${relative('.', directory)}.`);
}

if (import.meta.main) {
  await main().catch((error: unknown) => {
    if (!(error instanceof ConfigurationError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  });
}
