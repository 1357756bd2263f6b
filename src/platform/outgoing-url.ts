import { lookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { AppError } from '../base/errors.ts';

/**
 * Addresses that answer with a machine's credentials or reach what no host name should: cloud
 * metadata services live on link-local addresses and a few well-known others. Private and loopback
 * addresses stay allowed: that is where a team's own receivers are.
 */
const refused = new BlockList();
refused.addSubnet('169.254.0.0', 16, 'ipv4');
refused.addSubnet('fe80::', 10, 'ipv6');
// Metadata services: AWS and Google on IPv6, Alibaba, Oracle and Azure on IPv4.
refused.addAddress('fd00:ec2::254', 'ipv6');
refused.addAddress('fd20:ce::254', 'ipv6');
refused.addAddress('100.100.100.200', 'ipv4');
refused.addAddress('192.0.0.192', 'ipv4');
refused.addAddress('168.63.129.16', 'ipv4');
// Not one machine: "this network" and multicast.
refused.addSubnet('0.0.0.0', 8, 'ipv4');
refused.addAddress('::', 'ipv6');
refused.addSubnet('224.0.0.0', 4, 'ipv4');
refused.addSubnet('ff00::', 8, 'ipv6');
// NAT64 of a network's own (RFC 8215): only that network knows where an IPv4 address stands.
refused.addSubnet('64:ff9b:1::', 48, 'ipv6');

export function isRefusedAddress(address: string): boolean {
  if (isIP(address) !== 6) return refused.check(address, 'ipv4');
  const inner = embeddedIpv4(address);
  return refused.check(address, 'ipv6') || (inner !== null && refused.check(inner, 'ipv4'));
}

/** The IPv4 address that a translator or tunnel would call; mapped ones `BlockList` knows. */
function embeddedIpv4(address: string): string | null {
  // The WHATWG form has no zone, dotted part, leading zero or capital.
  const plain = URL.parse(`http://[${address.split('%')[0]}]`)?.hostname.slice(1, -1) ?? '';
  const [, nat64] = /^(?:64:ff9b)?::([0-9a-f]{1,4}:[0-9a-f]{1,4})$/.exec(plain) ?? [];
  const [, sixToFour] = /^2002:([0-9a-f]{1,4}:[0-9a-f]{0,4})/.exec(plain) ?? [];
  const pair = nat64 ?? sixToFour;
  if (pair === undefined) return null;
  const [high, low] = pair.split(':').map((group) => Number.parseInt(group || '0', 16));
  return [high! >> 8, high! & 255, low! >> 8, low! & 255].join('.');
}

/**
 * The URL, if Millwright may call it as far as its text tells; `OUTGOING_URL_REFUSED` otherwise.
 */
export function parseOutgoingUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw refusal('It is not an http or https URL.');
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0 && isRefusedAddress(host)) throw refusedAddress(host);
  return url;
}

/** Whether its text alone speaks against it; names are looked at when they are called. */
export function mayBeCalled(text: string): boolean {
  try {
    parseOutgoingUrl(text);
    return true;
  } catch {
    return false;
  }
}

/** How host names become addresses: `dns.lookup` with `all: true`. */
export type Resolve = (
  host: string,
  options: { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A lookup for `http.request` that fails with `OUTGOING_URL_REFUSED` when the name leads to a
 * refused address. What it checks is what the socket connects to: a name cannot change in between.
 */
export function guardedLookup(resolve: Resolve = lookup): LookupFunction {
  return (host, options, done) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      const bad = error === null ? addresses.find((it) => isRefusedAddress(it.address)) : undefined;
      const failure = error ?? (bad === undefined ? null : refusedAddress(bad.address));
      const [first] = addresses ?? [];
      if (failure !== null || first === undefined) {
        done(failure ?? new Error(`${host} has no address`), []);
      } else if (options.all === true) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}

function refusedAddress(address: string): AppError {
  return refusal(`It leads to ${address}, a link-local, metadata or multicast address.`);
}

function refusal(why: string): AppError {
  return new AppError('OUTGOING_URL_REFUSED', `Millwright does not call this URL. ${why}`, {
    hint: 'Correct the URL in the configuration.',
  });
}
