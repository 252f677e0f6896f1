/**
 * Checks that AWS credentials and a region are configured where AWS's own tools read them: the environment, then the shared files.
 * It does not validate or print credentials, and uses no network.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { loadSharedConfigFiles } from '@smithy/core/config';

/** A profile with any of these settings has credentials. */
const CREDENTIAL_SETTINGS = [
  'aws_access_key_id',
  'sso_session',
  'sso_start_url',
  'login_session',
  'role_arn',
  'credential_process',
  'web_identity_token_file',
];

/** With any of these variables there are credentials without a profile: keys, a pipeline's role, a container's role. */
const CREDENTIAL_VARIABLES = [
  'AWS_ACCESS_KEY_ID',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

type Profile = Readonly<Record<string, string | undefined>>;

/**
 * @param profileName the profile named on the command line, which overrides the environment
 * @returns one sentence for each missing setting
 */
export async function missingAwsAccess(environment: NodeJS.ProcessEnv, profileName?: string): Promise<string[]> {
  const name = profileName ?? environment.AWS_PROFILE ?? 'default';
  const profile = await sharedProfile(name, environment);
  const missing: string[] = [];

  const inEnvironment = !profileName && CREDENTIAL_VARIABLES.some((variable) => environment[variable]);
  if (!inEnvironment && !CREDENTIAL_SETTINGS.some((setting) => profile[setting])) {
    missing.push(
      `AWS credentials: none in the environment, none in the profile "${name}". ` +
        'Run "aws configure sso" or "aws configure", or set AWS_PROFILE to a profile that has them.',
    );
  }
  if (!regionIn(environment, profile)) {
    missing.push('AWS region: not chosen. Set AWS_REGION, for Seoul to ap-northeast-2.');
  }
  return missing;
}

/** The region of the environment, else of the profile. */
export async function regionOf(environment: NodeJS.ProcessEnv, profileName?: string): Promise<string | undefined> {
  return regionIn(environment, await sharedProfile(profileName ?? environment.AWS_PROFILE ?? 'default', environment));
}

const regionIn = (environment: NodeJS.ProcessEnv, profile: Profile): string | undefined =>
  environment.AWS_REGION || environment.AWS_DEFAULT_REGION || profile.region;

/** A profile merged from both shared files; empty when neither has it, or neither can be read. */
async function sharedProfile(name: string, environment: NodeJS.ProcessEnv): Promise<Profile> {
  const folder = join(environment.HOME ?? homedir(), '.aws');
  const { configFile, credentialsFile } = await loadSharedConfigFiles({
    configFilepath: environment.AWS_CONFIG_FILE ?? join(folder, 'config'),
    filepath: environment.AWS_SHARED_CREDENTIALS_FILE ?? join(folder, 'credentials'),
  });
  return { ...configFile[name], ...credentialsFile[name] };
}
