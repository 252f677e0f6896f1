/** Which URLs a webhook may have, and to which addresses it may be sent. */

import { describe, expect, test } from 'vitest';
import { isPublicAddress, webhookUrlProblem } from '../../../../functions/adapters/webhooks/address.ts';

test.each([
  '1.1.1.1',
  '172.15.255.255',
  '172.32.0.1',
  '100.63.255.255',
  '192.0.1.1',
  '223.255.255.255',
  '2606:4700::1',
])('sends to the public address %s', (address) => expect(isPublicAddress(address)).toBe(true));

test.each([
  ...['0.0.0.0', '10.0.0.1', '100.64.0.1', '127.0.0.1', '127.255.255.254', '169.254.169.254', '172.16.0.1'],
  ...['172.31.255.255', '192.0.0.8', '192.168.1.1', '198.18.0.1', '224.0.0.1', '239.1.1.1', '255.255.255.255'],
  ...['::', '::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fd00:ec2::254', 'ff02::1'],
  // IPv4 inside IPv6: mapped, compatible, NAT64, 6to4, Teredo.
  ...['::ffff:127.0.0.1', '::ffff:a00:1', '::127.0.0.1', '64:ff9b::7f00:1', '2002:7f00:1::', '2001:0:7f00:1::'],
  ...['::ffff:1.1.1.1', '2001:db8::1', 'shop.example', ''],
])('does not send to %s', (address) => expect(isPublicAddress(address)).toBe(false));

describe('the URL', () => {
  test.each([
    'https://shop.example/webhooks',
    'https://shop.example:8443/a?token=1',
    'https://1.1.1.1/',
    'https://쇼핑몰.한국/',
  ])('%s is allowed', (url) => expect(webhookUrlProblem(url)).toBeUndefined());

  test.each([
    ['http://shop.example/', 'must begin with https://'],
    ['ftp://shop.example/', 'must begin with https://'],
    ['shop.example', 'must be a URL'],
    [`https://shop.example/${'a'.repeat(1_000)}`, 'must be a URL'],
    ['https://user:password@shop.example/', 'must have no user name and no password'],
    ['https://shop.example/#part', 'must have no fragment'],
    ['https://localhost/', 'must be at a public address'],
    ['https://api.localhost/', 'must be at a public address'],
    ['https://localhost./', 'must be at a public address'],
    ['https://127.1/', 'must be at a public address'],
    ['https://0x7f000001/', 'must be at a public address'],
    ['https://2130706433/', 'must be at a public address'],
    ['https://169.254.169.254/latest', 'must be at a public address'],
    ['https://[::1]/', 'must be at a public address'],
    ['https://[::ffff:10.0.0.1]/', 'must be at a public address'],
    ['http://localhost:8080/', 'must begin with https://'],
  ])('%s is refused: %s', (url, problem) => expect(webhookUrlProblem(url)).toContain(problem));

  test.each(['http://localhost:8080/hook', 'http://127.0.0.1:1/', 'http://[::1]:1/', 'https://localhost/'])(
    'locally %s is allowed as well',
    (url) => expect(webhookUrlProblem(url, true)).toBeUndefined(),
  );

  test.each(['http://shop.example/', 'http://10.0.0.1/', 'https://10.0.0.1/', 'http://localhost.shop.example/'])(
    'locally %s is refused all the same',
    (url) => expect(webhookUrlProblem(url, true)).toBeDefined(),
  );
});
