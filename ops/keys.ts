/** `keys`, `keys rotate` and `keys retire`: shows and changes the keys of the shop's server. */

import { randomInt } from 'node:crypto';
import { type ShopKeySecret, shopKeysOf, shopKeyTextLength } from '../functions/shared/shop-keys.ts';
import type { Call, Command } from './command.ts';
import { type ExitCode, exit, Misuse } from './terminal.ts';

export const keys: Command = async (call) => {
  const { subject, deployment, messageFor } = call;
  const store = deployment.shopKeys;
  if (!store) {
    call.print(`${messageFor('noKeys')}\n`, { code: 'shop_auth_iam' });
    return exit.refused;
  }
  switch (subject) {
    case '':
      return show(call, await store.read());
    case 'rotate': {
      if (!(await call.confirm(messageFor('willRotate')))) return exit.notConfirmed;
      // Read after the question: another operator may have changed the keys meanwhile.
      const secret = await store.read();
      if (secret.previous !== undefined) {
        call.print(`${messageFor('previousKeysLeft')}\n`, { code: 'previous_keys_valid' });
        return exit.refused;
      }
      const next = { current: randomText(), previous: secret.current };
      await store.write(next);
      return show(call, next);
    }
    case 'retire': {
      if (!(await call.confirm(messageFor('willRetire')))) return exit.notConfirmed;
      const secret = await store.read();
      if (secret.previous === undefined) {
        call.print(`${messageFor('noPreviousKeys')}\n`, { code: 'no_previous_keys' });
        return exit.refused;
      }
      const next = { current: secret.current };
      await store.write(next);
      return show(call, next);
    }
    default:
      throw new Misuse({
        ko: `keys 뒤에는 rotate나 retire만 쓸 수 있습니다: ${subject}`,
        en: `keys takes rotate, retire or no argument, not ${subject}`,
      });
  }
};

function show({ print, messageFor }: Call, secret: ShopKeySecret): ExitCode {
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
