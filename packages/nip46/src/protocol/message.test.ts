import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { MAX_MESSAGE_CHARS, MAX_PARAMS, MAX_REQUEST_ID_CHARS } from "./limits.js"
import { encodeError, encodeRequest, encodeResult, parseObject, parseRequest } from "./message.js"

const request = (id: string | number, method: string, ...params: string[]) => ({
  kind: "request",
  request: { id, method, params },
})

describe("parseRequest", () => {
  it("the example in the docs", () => {
    expect(parseRequest('{"id":"1","method":"ping"}')).toEqual(request("1", "ping"))
  })

  it("gives back what encodeRequest wrote", () => {
    const ids = fc.oneof(fc.string({ maxLength: MAX_REQUEST_ID_CHARS }), fc.integer())
    const methods = fc.string({ minLength: 1, maxLength: 64 })
    fc.assert(
      fc.property(ids, methods, fc.array(fc.string({ unit: "binary" }), { maxLength: 4 }), (id, method, params) => {
        expect(parseRequest(encodeRequest({ id, method, params }))).toEqual(request(id, method, ...params))
      }),
    )
  })

  it("a numeric id stays a number (QUIRKS signer 5)", () => {
    expect(parseRequest('{"id":7,"method":"ping","params":[]}')).toEqual(request(7, "ping"))
    expect(parseRequest('{"id":0,"method":"ping"}')).toEqual(request(0, "ping"))
    expect(parseRequest('{"id":0.25,"method":"ping"}')).toEqual(request(0.25, "ping"))
  })

  it("an empty id and the longest one are ids", () => {
    const longest = "i".repeat(MAX_REQUEST_ID_CHARS)
    for (const id of ["", longest])
      expect(parseRequest(encodeRequest({ id, method: "ping", params: [] }))).toEqual(request(id, "ping"))
    expect(parseRequest('{"id":""}')).toEqual({ kind: "refused", id: "", reason: expect.any(String) })
  })

  it("params that are missing or null are none (QUIRKS signer 5)", () => {
    for (const rest of ["", ',"params":null', ',"params":[]']) {
      expect(parseRequest(`{"id":"1","method":"ping"${rest}}`)).toEqual(request("1", "ping"))
    }
  })

  it("params that are no strings become their text (QUIRKS signer 5)", () => {
    const params = '[{"kind":1,"tags":[["t","x"]]},[1],7,true,null,"","as is"]'
    expect(parseRequest(`{"id":"1","method":"m","params":${params}}`)).toEqual(
      request("1", "m", '{"kind":1,"tags":[["t","x"]]}', "[1]", "7", "true", "", "", "as is"),
    )
  })

  it("a __proto__ is data like any other", () => {
    const text = '{"__proto__":{"method":"ping","params":["evil"]},"id":"1","method":"ping","params":[{"__proto__":1}]}'
    expect(parseRequest(text)).toEqual(request("1", "ping", '{"__proto__":1}'))
    expect(parseRequest('{"__proto__":{"id":"1","method":"ping"}}').kind).toBe("garbage")
    expect(parseRequest('{"id":"1","__proto__":{"method":"ping"}}').kind).toBe("refused")
  })

  it.each([
    ["no method", '{"id":"1"}', /names no method/],
    ["an empty method", '{"id":"1","method":""}', /names no method/],
    ["a method that is no string", '{"id":"1","method":{"a":1}}', /names no method/],
    ["a method without end", `{"id":"1","method":"${"m".repeat(65)}"}`, /names no method/],
    ["params that are no array", '{"id":"1","method":"ping","params":"x"}', /at most 16 strings/],
    ["params that are an object", '{"id":"1","method":"ping","params":{"0":"x"}}', /at most 16 strings/],
    ["too many params", JSON.stringify({ id: "1", method: "m", params: Array(MAX_PARAMS + 1).fill("") }), /at most 16/],
  ])("%s is refused with the id", (_, text, reason) => {
    expect(parseRequest(text)).toEqual({ kind: "refused", id: "1", reason: expect.stringMatching(reason) })
  })

  it.each([
    ["nothing", ""],
    ["no JSON", "hello"],
    ["an array", '["1","ping"]'],
    ["null", "null"],
    ["a string", '"ping"'],
    ["no id", '{"method":"ping"}'],
    ["an id that is null", '{"id":null,"method":"ping"}'],
    ["an id that is an object", '{"id":{},"method":"ping"}'],
    ["an id beyond all numbers", '{"id":1e999,"method":"ping"}'],
    ["an id without end", JSON.stringify({ id: "i".repeat(MAX_REQUEST_ID_CHARS + 1), method: "ping" })],
    ["100,000 levels of arrays", `{"id":"1","method":"m","params":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
    ["20,000 levels within the length", `{"id":"1","method":"m","params":${"[".repeat(20_000)}${"]".repeat(20_000)}}`],
    ["100,000 levels of objects", '{"a":'.repeat(100_000)],
    ["levels after closing brackets", `${"]".repeat(20_000)}${"[".repeat(20_000)}`],
    ["levels after a string that ends in a backslash", `["\\\\",${"[".repeat(40)}`],
    ["1 MiB", JSON.stringify({ id: "1", method: "ping", params: ["x".repeat(1 << 20)] })],
    ["one character more than the limit", `{"id":"1","method":"ping"}`.padEnd(MAX_MESSAGE_CHARS + 1)],
  ])("%s is garbage", (_, text) => {
    expect(parseRequest(text)).toEqual({ kind: "garbage", reason: expect.any(String) })
  })

  it("brackets inside strings are no levels", () => {
    const text = '[[[[{{{{ \\" [[[[[[[[[[[[[[[[[['
    expect(parseRequest(encodeRequest({ id: "1", method: "nip44_encrypt", params: [text] }))).toEqual(
      request("1", "nip44_encrypt", text),
    )
  })

  it("as long as the limit is read", () => {
    expect(parseRequest('{"id":"1","method":"ping"}'.padEnd(MAX_MESSAGE_CHARS))).toEqual(request("1", "ping"))
  })

  it("mutated bytes never throw, and come to one of three outcomes", () => {
    const params = ['{"kind":1,"content":"héllo","tags":[["p","x"]]}']
    const original = new TextEncoder().encode(encodeRequest({ id: "abc", method: "sign_event", params }))
    const mutation = fc.tuple(fc.nat(original.length - 1), fc.nat(255))
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), fc.nat(original.length), (mutations, cut) => {
        const bytes = original.slice()
        for (const [at, byte] of mutations) bytes[at] = byte
        for (const end of [cut, bytes.length]) {
          const parsed = parseRequest(new TextDecoder().decode(bytes.slice(0, end)))
          expect(["request", "refused", "garbage"]).toContain(parsed.kind)
          if (parsed.kind === "request") for (const param of parsed.request.params) expect(param).toBeTypeOf("string")
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it("any JSON at all never throws", () => {
    const messages = fc.record({ id: fc.jsonValue(), method: fc.jsonValue(), params: fc.jsonValue() })
    fc.assert(
      fc.property(fc.oneof(messages, fc.jsonValue()), (value) => {
        expect(["request", "refused", "garbage"]).toContain(parseRequest(JSON.stringify(value)).kind)
      }),
    )
  })
})

describe("QUIRKS signer 14: responses, as every client reads them", () => {
  it("success is a string result, the empty one included, and no error (N46-RESPONSE-7, N46-RESPONSE-8)", () => {
    expect(JSON.parse(encodeResult("1", "pong"))).toEqual({ id: "1", result: "pong" })
    expect(JSON.parse(encodeResult(7, ""))).toEqual({ id: 7, result: "" })
  })

  it("an error is the result error beside the error (N46-RESPONSE-8)", () => {
    expect(JSON.parse(encodeError(7, "no"))).toEqual({ id: 7, result: "error", error: "no" })
  })
})

it("parseObject gives objects only", () => {
  expect(parseObject('{"a":1}')).toEqual({ a: 1 })
  for (const text of ["[]", "null", "1", '"{}"', "{", ""]) expect(parseObject(text)).toBeUndefined()
})
