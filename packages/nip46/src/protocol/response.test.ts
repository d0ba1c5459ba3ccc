import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parseResponse } from "./response.js"

const read = (value: unknown) => parseResponse(JSON.stringify(value))

describe("parseResponse", () => {
  it("QUIRKS client 3: reads every shape of an error that signers in use send", () => {
    const error = { kind: "error", id: "1", error: "denied" }
    expect(read({ id: "1", result: "error", error: "denied" })).toEqual(error)
    expect(read({ id: "1", result: "", error: "denied" })).toEqual(error)
    expect(read({ id: "1", result: null, error: "denied" })).toEqual(error)
    expect(read({ id: "1", error: "denied" })).toEqual(error)
    expect(read({ id: 1, error: "denied" })).toEqual(error)
    expect(read({ id: "1", error: { code: 5 } })).toEqual({ ...error, error: '{"code":5}' })
  })

  it("QUIRKS client 3: an error that says nothing is none", () => {
    const result = { kind: "result", id: "1", result: "pong" }
    expect(read({ id: "1", result: "pong", error: "" })).toEqual(result)
    expect(read({ id: "1", result: "pong", error: null })).toEqual(result)
    expect(read({ id: "1", result: "pong" })).toEqual(result)
    expect(read({ id: 1, result: "pong" })).toEqual(result)
  })

  it("keeps results that look like something else", () => {
    expect(read({ id: "1", result: "" })).toEqual({ kind: "result", id: "1", result: "" })
    expect(read({ id: "1", result: "error" })).toEqual({ kind: "result", id: "1", result: "error" })
    expect(read({ id: "1", result: "auth_url" })).toEqual({ kind: "result", id: "1", result: "auth_url" })
    expect(read({ id: "1", result: ["wss://a"] })).toEqual({ kind: "result", id: "1", result: ["wss://a"] })
    expect(read({ id: "1", result: null })).toEqual({ kind: "result", id: "1", result: null })
  })

  it("QUIRKS signer 14: reads an auth challenge", () => {
    expect(read({ id: "1", result: "auth_url", error: "https://x.example/a" })).toEqual({
      kind: "auth_url",
      id: "1",
      url: "https://x.example/a",
    })
  })

  it("is undefined for what is no response", () => {
    for (const value of [null, 1, "x", [], { id: {}, result: "x" }, { id: "1", method: "ping", params: [] }]) {
      expect(read(value)).toBeUndefined()
    }
    for (const text of ["", "{", "\u0000", "[".repeat(100_000)]) expect(parseResponse(text)).toBeUndefined()
  })

  it("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        parseResponse(text)
      }),
    )
  })
})
