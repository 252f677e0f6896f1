/**
 * Looks for AWS credentials and a region where AWS's own tools look: the environment, then the shared files. It only
 * looks: it asks nobody whether they are valid, prints none of them, and uses no network.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Settings of which any one means that a profile has credentials. */
const CREDENTIAL_SETTINGS = [
  'aws_access_key_id',
  'sso_session',
  'sso_start_url',
  'login_session',
  'role_arn',
  'credential_process',
  'web_identity_token_file',
];

/** Environment variables of which any one means credentials without a profile: keys, a pipeline's role, a container's. */
const CREDENTIAL_VARIABLES = [
  'AWS_ACCESS_KEY_ID',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
];

type Profile = Record<string, string>;

/**
 * Says what of AWS is missing, one sentence each; nothing when all is there.
 * @param profileName the profile named on the command line, which goes before the environment.
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
  if (!environment.AWS_REGION && !environment.AWS_DEFAULT_REGION && !profile.region) {
    missing.push('AWS region: not chosen. Set AWS_REGION, for Seoul to ap-northeast-2.');
  }
  return missing;
}

/** A profile as both shared files have it; empty when neither names it. */
async function sharedProfile(name: string, environment: NodeJS.ProcessEnv): Promise<Profile> {
  const folder = join(environment.HOME ?? homedir(), '.aws');
  const [config, credentials] = await Promise.all([
    sections(environment.AWS_CONFIG_FILE ?? join(folder, 'config')),
    sections(environment.AWS_SHARED_CREDENTIALS_FILE ?? join(folder, 'credentials')),
  ]);
  return { ...config[name === 'default' ? name : `profile ${name}`], ...credentials[name] };
}

/** The sections of one shared file. A file that cannot be read has none: AWS's tools take it the same way. */
async function sections(file: string): Promise<Record<string, Profile>> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const found: Record<string, Profile> = {};
  let section: Profile = {};
  for (const line of text.split('\n')) {
    const title = /^\s*\[\s*(.+?)\s*\]/.exec(line)?.[1];
    if (title) {
      section = found[title] ??= {};
      continue;
    }
    const [, name, value] = /^\s*([^#;=\s]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (name && value) section[name] = value;
  }
  return found;
}
