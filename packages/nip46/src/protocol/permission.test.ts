import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { METHODS } from "./method.js"
import { formatPermissions, parsePermissions, readPermissions } from "./permission.js"

const HEX = "ab".repeat(32)

describe("parsePermissions", () => {
  it("the example in the docs", () => {
    expect(parsePermissions("sign_event:1, nip44_encrypt")).toEqual([
      { method: "sign_event", param: "1" },
      { method: "nip44_encrypt", param: undefined },
    ])
  })

  it("the example in NIP-46, read and written (N46-PERMS-2, N46-PERMS-3)", () => {
    const text = "nip44_encrypt,sign_event:4"
    const permissions = [
      { method: "nip44_encrypt", param: undefined },
      { method: "sign_event", param: "4" },
    ]
    expect(parsePermissions(text)).toEqual(permissions)
    expect(formatPermissions(permissions)).toBe(text)
  })

  it("nothing is nothing", () => {
    expect(parsePermissions("")).toEqual([])
    expect(parsePermissions(" , ,, ")).toEqual([])
  })

  it("says each once", () => {
    expect(formatPermissions(parsePermissions("ping,sign_event:1,ping,sign_event:1,sign_event"))).toBe(
      "ping,sign_event:1,sign_event",
    )
  })

  it("a counterparty is a public key, in lower case so that a grant or a refusal matches it", () => {
    expect(parsePermissions(`nip44_decrypt:${HEX.toUpperCase()}`)).toEqual([{ method: "nip44_decrypt", param: HEX }])
  })

  it.each([
    ["sign_event:65536", /"sign_event:65536" has no valid kind.*0 to 65535/],
    ["sign_event:01", /no valid kind/],
    ["sign_event:-1", /no valid kind/],
    ["sign_event:1.0", /no valid kind/],
    ["sign_event:all", /no valid kind/],
    ["sign_event:", /is not a permission/],
    ["sign_event 1", /is not a permission; write method or method:param/],
    ["SIGN_EVENT", /is not a permission/],
    ["sing_event", /"sing_event" names an unknown method; there are connect, .*sign_event, .*logout$/],
    ["__proto__", /is not a permission/],
    ["constructor", /unknown method/],
    ["*", /is not a permission/],
    ["nip44_decrypt:npub1xyz", /"nip44_decrypt:npub1xyz" has no valid param; nip44_decrypt takes a public key/],
    ["nip04_encrypt:1", /no valid param/],
  ])("%s is refused by name (N46-PERMS-3)", (text, message) => {
    expect(() => parsePermissions(`ping,${text}`)).toThrow(
      expect.objectContaining({ code: "INVALID_PERMISSION", message: expect.stringMatching(message) }),
    )
  })

  it("a refusal quotes no more than a line of what it refuses", () => {
    expect(() => parsePermissions("x".repeat(10_000))).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{1,200}$/) }),
    )
  })

  it("gives back what formatPermissions wrote", () => {
    const permission = fc.oneof(
      fc.constantFrom(...METHODS).map((method) => ({ method, param: undefined })),
      fc.integer({ min: 0, max: 65_535 }).map((kind) => ({ method: "sign_event", param: String(kind) })),
      fc.constantFrom("nip44_encrypt", "nip04_decrypt").map((method) => ({ method, param: HEX })),
    )
    const lists = fc.uniqueArray(permission, { selector: ({ method, param }) => `${method}:${param}` })
    fc.assert(
      fc.property(lists, (permissions) => {
        expect(parsePermissions(formatPermissions(permissions))).toEqual(permissions)
      }),
    )
  })
})

describe("readPermissions", () => {
  it("QUIRKS signer 6: sets aside what it cannot read, unknown methods and spaces among it", () => {
    expect(readPermissions("sign_event:1, get_relays ,nip44_encrypt:x,, sign_event:99999, ping,ping")).toEqual({
      permissions: [
        { method: "sign_event", param: "1" },
        { method: "ping", param: undefined },
      ],
      ignored: ["get_relays", "nip44_encrypt:x", "sign_event:99999"],
    })
  })

  it("never throws, and loses no entry", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const { permissions, ignored } = readPermissions(text)
        for (const entry of ignored) expect(text).toContain(entry)
        expect(readPermissions(formatPermissions(permissions))).toEqual({ permissions, ignored: [] })
      }),
    )
  })
})
