/** `keys`, `keys rotate` and `keys retire`: shows and changes the keys of the shop's server. */

import { randomInt } from 'node:crypto';
import { shopKeysOf, shopKeyTextLength } from '../functions/shared/shop-keys.ts';
import type { Call, Command } from './command.ts';
import { change, stepOf } from './rotation.ts';
import type { SecretTexts } from './secret-store.ts';
import { type ExitCode, exit } from './terminal.ts';

export const keys: Command = async (call) => {
  const store = call.deployment.shopKeys;
  if (!store) {
    call.print(`${call.messageFor('noKeys')}\n`, { code: 'shop_auth_iam' });
    return exit.refused;
  }
  const step = stepOf(call, 'keys');
  if (!step) return show(call, await store.read());
  return change(call, step, {
    store,
    generate: randomText,
    show: (secret) => show(call, secret),
    question: { rotate: 'willRotate', retire: 'willRetire' },
    refusal: {
      rotate: { message: 'previousKeysLeft', code: 'previous_keys_valid' },
      retire: { message: 'noPreviousKeys', code: 'no_previous_keys' },
    },
  });
};

function show({ print, messageFor }: Call, secret: SecretTexts): ExitCode {
  const { orders, money } = shopKeysOf(secret);
  const lines = [
    `${messageFor('keyForOrders')}: ${orders[0]}`,
    `${messageFor('keyForMoney')}: ${money[0]}`,
    ...(secret.previous === undefined ? [] : [`${messageFor('previousKeysValid')}: ${orders[1]}, ${money[1]}`]),
  ];
  print(lines.map((line) => `${line}\n`).join(''), { orders, money });
  return exit.done;
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** As CloudFormation generates it: 256 random bits for each of the two keys. */
const randomText = (): string =>
  Array.from({ length: shopKeyTextLength }, () => letters[randomInt(letters.length)]).join('');
