/** `webhooks`, `webhooks rotate` and `webhooks retire`: shows and changes the secrets that sign webhooks, and questions before an approval. */

import { randomBytes } from 'node:crypto';
import { secretPrefix } from '../functions/adapters/webhooks/signature.ts';
import type { Call, Command } from './command.ts';
import type { SignedUrl } from './destinations.ts';
import { change, stepOf } from './rotation.ts';
import type { SecretTexts } from './secret-store.ts';
import { type ExitCode, exit } from './terminal.ts';

/** As many as a signature of HMAC-SHA256 has. Bytes. */
const newSecretBytes = 32;

export const webhooks: Command = async (call) => {
  const { target, deployment, messageFor, print } = call;
  const step = stepOf(call, 'webhooks');
  const asked = await deployment.confirmUrl();
  const all: SignedUrl[] = [...(await deployment.webhooks()), ...(asked ? [asked] : [])];
  const named = all.filter(({ url, receiver }) => target === '' || target === url || target === receiver);
  const [destination] = named;
  if (!destination || (step && named.length > 1)) {
    const problem = messageFor(all.length === 0 ? 'noWebhooks' : 'oneWebhook');
    print([problem, ...all.map(({ url }) => url), ''].join('\n'), { urls: all.map(({ url }) => url) });
    return exit.refused;
  }
  if (!step) {
    return show(call, await Promise.all(named.map(async (one) => ({ url: one.url, ...(await one.secret.read()) }))));
  }
  return change(call, step, {
    store: destination.secret,
    generate: () => randomBytes(newSecretBytes).toString('base64'),
    show: (texts) => show(call, [{ url: destination.url, ...texts }]),
    question: { rotate: 'willRotateSecret', retire: 'willRetireSecret' },
    refusal: {
      rotate: { message: 'previousSecretLeft', code: 'previous_secret_valid' },
      retire: { message: 'noPreviousSecret', code: 'no_previous_secret' },
    },
  });
};

function show({ print, messageFor }: Call, secrets: readonly (SecretTexts & Pick<SignedUrl, 'url'>)[]): ExitCode {
  const written = secrets.map(({ url, current, previous }) => ({
    url,
    secret: withPrefix(current),
    ...(previous !== undefined && { previous: withPrefix(previous) }),
  }));
  const lines = written.flatMap(({ url, secret, previous }) => [
    url,
    `  ${messageFor('secretOfWebhook')}: ${secret}`,
    ...(previous === undefined ? [] : [`  ${messageFor('previousSecretSigns')}: ${previous}`]),
  ]);
  print(lines.map((line) => `${line}\n`).join(''), { webhooks: written });
  return exit.done;
}

/** As the receiver needs it. */
const withPrefix = (text: string): string => (text.startsWith(secretPrefix) ? text : secretPrefix + text);
