import { describe, expect, it, test } from "vitest"
import { engineOnRelays } from "../../test/support/engine-on-relays.js"
import { checkLeaks } from "../../test/support/leaks.js"
import { scriptedSigner } from "../../test/support/scripted-signer.js"
import { createNodeBackend } from "../crypto/node/index.js"
import { MemoryRelays } from "../transport/index.js"
import { type SignerSubject, signerSuite } from "./index.js"

const crypto = createNodeBackend()
const RELAYS = ["wss://one.example", "wss://two.example"]

checkLeaks()

describe("SignerEngine", () => {
  signerSuite({
    test,
    crypto,
    silenceMs: 500,
    create: async () => {
      const { open } = new MemoryRelays()
      const engine = await engineOnRelays(open, RELAYS, "sign_event:1,nip44_encrypt,nip44_decrypt")
      return { token: engine.token, openTransport: open, close: engine.close }
    },
  })
})

/** The checks that fail for a signer. */
async function failuresOf(create: () => SignerSubject): Promise<string[]> {
  const failures: string[] = []
  const runs: (() => Promise<void>)[] = []
  signerSuite({
    crypto,
    silenceMs: 150,
    create,
    test: (title, run) =>
      runs.push(async () => {
        try {
          await run()
        } catch {
          failures.push(title)
        }
      }),
  })
  for (const run of runs) await run()
  return failures
}

it("finds a signer that does what everybody asks", async () => {
  const failures = await failuresOf(() => {
    const { open } = new MemoryRelays()
    const signer = scriptedSigner(open, RELAYS)
    signer.on("no_such_method", ({ answer }) => answer({ result: "" }))
    return { token: async () => signer.token("s"), openTransport: open, close: signer.close }
  })
  expect(failures).toEqual([
    expect.stringContaining("NIP-44"),
    expect.stringContaining("a method it does not know"),
    expect.stringContaining("refuses what the token does not permit"),
    expect.stringContaining("a secret that was used"),
    expect.stringContaining("another secret"),
    expect.stringContaining("a stranger nothing"),
    expect.stringContaining("serves that client no more"),
  ])
})
