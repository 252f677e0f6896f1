/**
 * The CDK app, for `npm run synth` and `cdk deploy`. It needs no AWS account and no network. context.ts reads the configuration.
 */
import { join, relative } from 'node:path';
import { App } from 'aws-cdk-lib';
import { bundleFunctions } from './bundle.ts';
import { ConfigurationError, readStackSettings } from './config.ts';
import { cdkContext, configOf, featureFlags, PROJECT_ROOT } from './context.ts';
import { addShop } from './shop.ts';
import { PaymentsStack } from './stack.ts';

/**
 * Checks the configuration, bundles the functions and synthesizes the stack.
 * @param context overrides the context that the CDK's command line passes in the environment
 * @param add adds the shop's own resources to the stack
 * @param bundles the directory of finished bundles; without it the functions are bundled
 * @returns the directory of the cloud assembly
 * @throws ConfigurationError when the context `iamport` is not valid
 */
export async function synthesize(
  context: Record<string, unknown>,
  outdir: string,
  { add, bundles }: { add?: typeof addShop; bundles?: string } = {},
): Promise<string> {
  // Usage reporting would add a resource to the template.
  const app = new App({ postCliContext: { ...featureFlags(), ...context }, outdir, analyticsReporting: false });
  const settings = readStackSettings(context.iamport);
  if (!bundles) await bundleFunctions();
  const stack = new PaymentsStack(app, { ...settings, ...(bundles && { bundles }) });
  add?.(stack, stack.payments);
  return app.synth().directory;
}

async function main(commandLine: string[]): Promise<void> {
  // The CDK's command line passes the values of -c in the environment.
  const { CDK_OUTDIR, CDK_CONTEXT_JSON = '{}' } = process.env;
  const config: string | undefined = configOf(commandLine) ?? JSON.parse(CDK_CONTEXT_JSON).config;
  const directory = await synthesize(cdkContext(config), CDK_OUTDIR ?? join(PROJECT_ROOT, 'cdk.out'), {
    add: addShop,
  });
  if (!CDK_OUTDIR) console.log(`Synthesized into ${relative('.', directory)}. \`npm run deploy\` deploys it.`);
}

if (import.meta.main) {
  await main(process.argv.slice(2)).catch((error: unknown) => {
    if (!(error instanceof ConfigurationError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  });
}
