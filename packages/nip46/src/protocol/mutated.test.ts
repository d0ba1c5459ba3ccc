import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parseRelayMessage } from "../transport/relay-message.js"
import { parseClientMetadata } from "./client-metadata.js"
import { parseBunkerToken, parseNostrconnectToken } from "./connection-token.js"
import { Nip46Error } from "./errors.js"
import { parseEventTemplate } from "./event-template.js"
import { encodeError, encodeRequest, encodeResult, parseRequest } from "./message.js"
import { parsePermissions, readPermissions } from "./permission.js"
import { normalizeRelayUrl } from "./relay-url.js"
import { parseResponse } from "./response.js"
import { inspectToken } from "./token-report.js"

const PUBKEY = "ab".repeat(32)
const NOW = 1_700_000_000
const EVENT = { kind: 1, content: "h\u00e9llo \u{1f511}", tags: [["p", PUBKEY]], created_at: NOW }
const TOKEN = `://${PUBKEY}?relay=wss%3A%2F%2Fr.example&secret=sesame-7f3a&perms=sign_event:1&name=Notes`

interface Boundary {
  /** Good texts, which the boundary takes. */
  readonly good: readonly string[]
  readonly read: (text: string) => unknown
  /** What it may throw; without, nothing. */
  readonly throws?: "INVALID_TOKEN" | "INVALID_PERMISSION"
}

const BOUNDARIES: Readonly<Record<string, Boundary>> = {
  parseRequest: {
    good: [encodeRequest({ id: "1", method: "sign_event", params: [JSON.stringify(EVENT)] })],
    read: parseRequest,
  },
  parseResponse: { good: [encodeResult("1", "pong"), encodeError("1", "no")], read: parseResponse },
  parseEventTemplate: {
    good: [JSON.stringify(EVENT)],
    read: (text) => parseEventTemplate(text, PUBKEY, NOW),
  },
  parseRelayMessage: {
    good: [
      JSON.stringify(["EVENT", "s", { ...EVENT, id: PUBKEY, pubkey: PUBKEY, sig: PUBKEY + PUBKEY }]),
      JSON.stringify(["OK", PUBKEY, false, "blocked: no"]),
      JSON.stringify(["CLOSED", "s", "auth-required: who are you"]),
    ],
    read: parseRelayMessage,
  },
  parseClientMetadata: {
    good: [JSON.stringify({ name: "Notes", url: "https://n.example" })],
    read: parseClientMetadata,
  },
  parseBunkerToken: { good: [`bunker${TOKEN}`], read: parseBunkerToken, throws: "INVALID_TOKEN" },
  parseNostrconnectToken: { good: [`nostrconnect${TOKEN}`], read: parseNostrconnectToken, throws: "INVALID_TOKEN" },
  inspectToken: { good: [`bunker${TOKEN}`, `nostrconnect${TOKEN}`], read: (text) => inspectToken(text) },
  parsePermissions: {
    good: [`sign_event:1,nip44_decrypt:${PUBKEY}`],
    read: parsePermissions,
    throws: "INVALID_PERMISSION",
  },
  readPermissions: { good: [`sign_event:1,nip44_decrypt:${PUBKEY}`], read: readPermissions },
  normalizeRelayUrl: { good: ["wss://r.example/path?x=1", "wss%3A%2F%2Fr.example"], read: normalizeRelayUrl },
}

/** As a broken or hostile other side would send it: bytes flipped, dropped and put in, then read as UTF-8. */
function mutationsOf(texts: readonly string[]): fc.Arbitrary<string> {
  const edit = fc.record(
    {
      at: fc.nat({ max: 400 }),
      drop: fc.nat({ max: 2 }),
      insert: fc.uint8Array({ maxLength: 3 }),
    },
    { noNullPrototype: true },
  )
  return fc.tuple(fc.constantFrom(...texts), fc.array(edit, { minLength: 1, maxLength: 5 })).map(([text, edits]) => {
    const bytes = edits.reduce((bytes, { at, drop, insert }) => {
      const from = at % (bytes.length + 1)
      return Uint8Array.from([...bytes.subarray(0, from), ...insert, ...bytes.subarray(from + drop)])
    }, new TextEncoder().encode(text) as Uint8Array)
    return new TextDecoder().decode(bytes)
  })
}

describe("mutated bytes never throw past a boundary", () => {
  it.each(Object.entries(BOUNDARIES))("%s", (_, { good, read, throws }) => {
    for (const text of good) expect(read(text)).toBeDefined()
    fc.assert(
      fc.property(mutationsOf(good), (text) => {
        try {
          read(text)
        } catch (error) {
          if (throws === undefined || !(error instanceof Nip46Error)) throw error
          expect(error.code).toBe(throws)
        }
      }),
      { numRuns: 1_000 },
    )
  })
})
