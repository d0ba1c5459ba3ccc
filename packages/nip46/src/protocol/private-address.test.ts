import { expect, it } from "vitest"
import { isPrivateAddress } from "./private-address.js"

it.each([
  ..."0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254".split(" "),
  ..."169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.168.0.1 192.168.255.255 198.18.0.1".split(" "),
  ..."198.19.255.255 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255".split(" "),
  ..."::1 :: [::1] fc00::1 fdff::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 ::ffff:127.0.0.1 ::ffff:7f00:1".split(" "),
  ..."::ffff:8.8.8.8 ::127.0.0.1 64:ff9b::a00:1 2002:7f00:1:: 2001:0:1::1 2001:db8::1 100::1".split(" "),
  ...":::: 1:2:3 2001:db8 1:2:3:4:5:6:7:8:9 2606::1::2 2606:g::1".split(" "),
])("%s is not to be dialled", (address) => expect(isPrivateAddress(address)).toBe(true))

it.each([
  ..."1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1".split(" "),
  ..."169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 198.17.0.1".split(" "),
  ..."198.20.0.0 223.255.255.255 2606:4700::1111 [2a00:1450::1] 2001:4860:4860::8888 3fff:ffff::1".split(" "),
  ..."relay.example.com localhost 999.1.1.1".split(" "),
])("%s is public, or a name", (address) => expect(isPrivateAddress(address)).toBe(false))

it("a URL's hostname spells every dress of an address in one way", () => {
  for (const host of ["0x7f.1", "2130706433", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]", "[0:0:0:0:0:0:0:1]"]) {
    expect(isPrivateAddress(new URL(`wss://${host}`).hostname)).toBe(true)
  }
})
