import { expect, test } from "vitest"
import { peerOf } from "./peer-address.js"

test.each([
  ["127.0.0.1", "127.0.0.1", true],
  ["127.9.9.9", "127.9.9.9", true],
  ["::1", "::1", true],
  ["::ffff:127.0.0.1", "127.0.0.1", true],
  ["203.0.113.7", "203.0.113.7", false],
  ["::ffff:203.0.113.7", "203.0.113.7", false],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2", false],
  ["2001:db8:1:2::9", "2001:db8:1:2", false],
  ["2001:db8::9", "2001:db8:0:0", false],
  ["2001:db8::", "2001:db8:0:0", false],
  ["fe80::1%eth0", "fe80:0:0:0", false],
  [undefined, "", false],
])("%s is counted as %s, loopback: %s", (address, key, loopback) => {
  expect(peerOf(address)).toEqual({ key, loopback })
})
