import { createNodeBackend } from "@casemate/nip46/crypto/node"
import { signerSuite } from "@casemate/nip46/testing"
import { RelaySet } from "@casemate/nip46/transport"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { type Bunker, type Folders, makeFolders, runJson, startBunker } from "./support/bunker.js"

const PERMS = "sign_event:1,nip44_encrypt,nip44_decrypt"

describe("the running daemon, over its own relay", () => {
  let folders: Folders
  let bunker: Bunker

  beforeAll(async () => {
    folders = makeFolders()
    bunker = await startBunker(folders)
  })
  afterAll(async () => {
    expect(await bunker.stop()).toBe(0)
    folders.remove()
  })

  signerSuite({
    test: (title, run) => it(title, run),
    crypto: createNodeBackend(),
    create: () => ({
      token: async () => (await runJson<{ uri: string }>(folders, ["pair", "--perms", PERMS, "--no-wait"])).uri,
      openTransport: (relays, options) => new RelaySet({ relays, webSocket: (url) => new WebSocket(url), ...options }),
      close: () => undefined,
    }),
  })
})
