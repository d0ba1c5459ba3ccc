import { describe, expect, it } from "vitest"
import { MAX_PLAINTEXT_BYTES } from "../protocol/limits.js"
import { METHODS } from "../protocol/method.js"
import { readAsk } from "./read-ask.js"

const USER = "ab".repeat(32)
const FRIEND = "cd".repeat(32)
const NOW = 1_700_000_000
const read = (method: string, ...params: string[]) => readAsk({ id: "1", method, params }, USER, NOW)
const invalid = (reason: RegExp) => ({ kind: "invalid", reason: expect.stringMatching(reason) })

describe("readAsk", () => {
  it("reads the five that need nothing, whatever their params", () => {
    for (const method of ["connect", "ping", "get_public_key", "switch_relays", "logout"]) {
      expect(read(method)).toEqual({ kind: "ask", ask: { method } })
      expect(read(method, "x", "", "y")).toEqual({ kind: "ask", ask: { method } })
    }
  })

  it("an unknown method is told which ones there are, and is not repeated", () => {
    for (const method of ["get_relays", "create_account", "__proto__", "toString"]) {
      const result = read(method)
      expect(result).toEqual(invalid(/^unknown method; this signer knows connect, sign_event/))
      expect(JSON.stringify(result)).not.toContain(method)
      for (const known of METHODS) expect(JSON.stringify(result)).toContain(known)
    }
  })

  it("sign_event takes the time of its arrival when it names none", () => {
    expect(read("sign_event", '{"kind":1,"content":""}')).toEqual({
      kind: "ask",
      ask: { method: "sign_event", template: { kind: 1, content: "", tags: [], created_at: NOW } },
    })
    expect(read("sign_event")).toEqual(invalid(/needs an event/))
  })

  it("encrypt and decrypt take a counterparty in any case and a text, the empty one included", () => {
    for (const method of ["nip04_encrypt", "nip04_decrypt", "nip44_encrypt", "nip44_decrypt"]) {
      const ask = { method, counterparty: FRIEND, text: "" }
      expect(read(method, FRIEND.toUpperCase(), "")).toEqual({ kind: "ask", ask })
      expect(read(method, FRIEND)).toEqual(invalid(/needs a text as its second param/))
      expect(read(method, "npub1", "x")).toEqual(invalid(/needs a public key of 64 hex digits/))
      expect(read(method)).toEqual(invalid(/needs a public key/))
    }
  })

  it("a plaintext is measured in bytes", () => {
    const tooLong = invalid(/longer than 40960 bytes/)
    expect(read("nip44_encrypt", FRIEND, "x".repeat(MAX_PLAINTEXT_BYTES)).kind).toBe("ask")
    expect(read("nip44_encrypt", FRIEND, "x".repeat(MAX_PLAINTEXT_BYTES + 1))).toEqual(tooLong)
    expect(read("nip04_encrypt", FRIEND, "é".repeat(MAX_PLAINTEXT_BYTES / 2)).kind).toBe("ask")
    expect(read("nip04_encrypt", FRIEND, "é".repeat(MAX_PLAINTEXT_BYTES / 2 + 1))).toEqual(tooLong)
  })
})
