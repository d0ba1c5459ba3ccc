import { describe, expect, it, test } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import { createNodeBackend } from "../crypto/node/index.js"
import { transportSuite } from "../testing/index.js"
import { MemoryRelays } from "./index.js"

checkLeaks()

describe("MemoryRelays", () => {
  transportSuite({
    test,
    crypto: createNodeBackend(),
    create: () => ({
      relays: ["wss://one.example", "wss://two.example"],
      open: new MemoryRelays().open,
      close: () => undefined,
    }),
  })

  it("needs a relay", () => {
    expect(() => new MemoryRelays().open([], {})).toThrow("at least one relay")
  })
})
