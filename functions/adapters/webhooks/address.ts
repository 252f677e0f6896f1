/**
 * The addresses that a webhook may be sent to: only those of the public internet. A URL is configuration, but the shop's
 * DNS decides its address at each delivery. Without this rule a DNS entry could aim signed requests at the network of
 * the functions.
 */

import { BlockList, isIP } from 'node:net';

/** Sources: the IANA special-purpose address registries for IPv4 and IPv6. */
const notPublicIpv4 = blockList('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Link-local, with the credentials of an instance at 169.254.169.254.
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  // Multicast, reserved and broadcast.
  ['224.0.0.0', 3],
]);
/** All unicast addresses in use. Loopback, link-local, unique local, multicast, mapped and NAT64 are outside. */
const unicastIpv6 = blockList('ipv6', [['2000::', 3]]);
const notPublicIpv6 = blockList('ipv6', [
  // Teredo, ORCHID, benchmarking.
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4 contains any IPv4 address.
  ['2002::', 16],
  ['3fff::', 20],
]);
const loopbackIpv4 = blockList('ipv4', [['127.0.0.0', 8]]);

function blockList(family: 'ipv4' | 'ipv6', subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, family);
  return list;
}

/** @returns false for every text that is not a public IPv4 or IPv6 address */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !notPublicIpv4.check(address, 'ipv4');
    case 6:
      // A zone, as in fe80::1%eth0, belongs to a local address.
      return !address.includes('%') && unicastIpv6.check(address, 'ipv6') && !notPublicIpv6.check(address, 'ipv6');
    default:
      return false;
  }
}

export const isLoopbackAddress = (address: string): boolean =>
  isIP(address) === 4 ? loopbackIpv4.check(address, 'ipv4') : address === '::1';

/** Longer URLs do not fit into the environment of a function beside its other variables. Characters. */
const maxUrlLength = 1_000;

/**
 * The rule for the URL of a webhook, before DNS. The address is checked again at each delivery.
 * @param allowsLoopback true only in the local system: allows http and this machine's own addresses
 * @returns what is wrong with it, as `must …`; undefined for an allowed URL
 */
export function webhookUrlProblem(text: string, allowsLoopback = false): string | undefined {
  const url = URL.parse(text);
  if (!url || text.length > maxUrlLength || /\s/.test(text)) {
    return `must be a URL of at most ${maxUrlLength} characters, like "https://shop.example/webhooks"`;
  }
  if (url.username || url.password) return 'must have no user name and no password';
  if (url.hash) return 'must have no fragment (#…), which HTTP does not send';
  const host = hostOf(url);
  const isLocal = /(?:^|\.)localhost\.?$/i.test(host) || isLoopbackAddress(host);
  if (allowsLoopback && isLocal && (url.protocol === 'http:' || url.protocol === 'https:')) return undefined;
  if (url.protocol !== 'https:') return 'must begin with https://';
  if (isLocal || (isIP(host) && !isPublicAddress(host))) return 'must be at a public address';
  return undefined;
}

/** The host without the brackets of an IPv6 address. The URL parser has already normalised forms such as 0x7f.1. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[(.*)\]$/, '$1');
