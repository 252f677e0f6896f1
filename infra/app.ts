/**
 * The CDK app: `npm run synth`, and what `cdk deploy` runs. It needs no AWS account and no network; the configuration
 * is the context `iamport` of cdk.json.
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
 * Checks the configuration, bundles the functions and synthesizes the stack. What the CDK's command line passes on in
 * the environment goes before `context`.
 * @param add puts into the stack what is not this project's
 * @returns the directory of the cloud assembly.
 * @throws ConfigurationError when the context `iamport` is not valid.
 */
export async function synthesize(
  context: Record<string, unknown>,
  outdir: string,
  add?: typeof addShop,
): Promise<string> {
  // Usage reporting would put a resource into the template that has nothing to do with payments.
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
