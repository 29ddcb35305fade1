import { expect, it } from 'vitest';

import { isLoopbackAddress, isLoopbackHostname, isPublicAddress } from '../../src/files/address.ts';

it.each([
  '162.159.130.233',
  '8.8.8.8',
  '172.15.255.255',
  '172.32.0.1',
  '100.63.255.255',
  '100.128.0.1',
  '2606:4700::6812:1',
])('takes %s for public', (address) => expect(isPublicAddress(address)).toBe(true));

it.each([
  '0.0.0.0',
  '10.255.0.1',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '198.19.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:8.8.8.8',
  '::ffff:7f00:1',
  '64:ff9b::a00:1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fe80::1%eth0',
  'ff02::1',
  '2001::1',
  '2001:db8::1',
  '2002:a00:1::1',
  'localhost',
  '1.2.3',
  '',
])('does not take "%s" for public', (address) => expect(isPublicAddress(address)).toBe(false));

it('knows this machine by address and by name', () => {
  expect(['127.0.0.1', '127.8.9.1', '::1'].every((address) => isLoopbackAddress(address))).toBe(true);
  expect(['128.0.0.1', '::2', 'localhost', ''].some((address) => isLoopbackAddress(address))).toBe(false);
  expect(['localhost', '127.0.0.1', '[::1]'].every((name) => isLoopbackHostname(name))).toBe(true);
  expect(['localhost.example', '0.0.0.0', 'local'].some((name) => isLoopbackHostname(name))).toBe(false);
});
