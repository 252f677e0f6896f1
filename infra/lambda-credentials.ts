/**
 * Stands in for `@aws-sdk/credential-provider-node` in the bundles (see bundle.ts): in Lambda the credentials are always
 * in the environment, and the SDK's chain that would also look elsewhere costs 130 KB and about 27 ms of a cold start.
 * It reads the environment and nothing else; it does not serve code that runs outside Lambda.
 */

/** What the SDK asks a credential provider for. */
interface EnvironmentCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/**
 * The SDK's entry point of the same name.
 * @throws when the environment holds no credentials, which in Lambda means that the function has no role.
 */
export function defaultProvider(): () => Promise<EnvironmentCredentials> {
  return async () => {
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
    if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
      throw new Error('AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not in the environment.');
    }
    return {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
    };
  };
}
