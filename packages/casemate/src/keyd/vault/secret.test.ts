import { format, inspect } from "node:util"
import { expect, test } from "vitest"
import { Secret } from "./secret.js"

const HEX = "5e".repeat(32)
const create = () => new Secret(Uint8Array.from(Buffer.from(HEX, "hex")))

test("however it is shown, it is [secret]", () => {
  const secret = create()
  const shown = [
    String(secret),
    `${secret as unknown as string}`,
    JSON.parse(JSON.stringify(secret)) as string,
    inspect(secret),
    inspect(secret, { showHidden: true, depth: 9 }),
    format("%s", secret),
    format("%o", secret),
  ]
  for (const text of shown) expect(text).toBe("[secret]")
  expect(inspect({ deep: { secret } })).toContain("[secret]")
  expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}')
  expect(Object.keys(secret)).toEqual([])
  expect(JSON.stringify(structuredClone(secret))).toBe("{}")
})

test("it lends its bytes, and zeroes them when it is wiped", () => {
  const bytes = Uint8Array.of(1, 2, 3)
  const secret = new Secret(bytes)
  expect(secret.use((lent) => lent.length)).toBe(3)
  secret.wipe()
  expect([...bytes]).toEqual([0, 0, 0])
  expect(() => secret.use(() => 0)).toThrow(expect.objectContaining({ code: "INVALID_KEY" }))
})
