/**
 * Replaces `@aws-sdk/credential-provider-node` in the bundles (see bundle.ts). In Lambda the credentials are always in the
 * environment. The SDK's chain also checks other sources, for 130 KB and about 27 ms of a cold start. Not for code outside Lambda.
 */

/** The result type of an SDK credential provider. */
interface EnvironmentCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/**
 * The SDK's entry point of the same name.
 * @throws Error when the environment has no credentials: in Lambda, the function has no role
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
