import { once } from "node:events"
import type { AddressInfo } from "node:net"
import { RemoteSigner } from "@casemate/nip46/client"
import { createNodeBackend } from "@casemate/nip46/crypto/node"
import type { NostrEvent } from "@casemate/nip46/protocol"
import { FaultRelay, type RelayFaults } from "@casemate/nip46/testing"
import { afterEach, describe, expect, it } from "vitest"
import { WebSocket, WebSocketServer } from "ws"
import { type Bunker, type Folders, kill, makeFolders, pidOf, runJson, startBunker, until } from "./support/bunker.js"

const crypto = createNodeBackend()
const cleanups: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** An outside relay that serves nobody who has not proven who they are. */
async function startRelay(faults: Partial<RelayFaults>): Promise<FaultRelay> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" })
  await once(server, "listening")
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  const relay = new FaultRelay({ url, faults, verifyEvent: (event) => crypto.verifyEvent(event) })
  server.on("connection", (socket) => relay.accept(socket))
  cleanups.push(async () => {
    relay.close()
    await new Promise((resolve) => server.close(resolve))
  })
  return relay
}

interface Served {
  readonly folders: Folders
  readonly bunker: Bunker
  readonly relay: FaultRelay
}

async function startOn(relay: FaultRelay): Promise<Served> {
  const folders = makeFolders()
  cleanups.push(() => folders.remove())
  const bunker = await startBunker(folders, ["--http", "localhost:0", "--relay", relay.url])
  cleanups.push(async () => expect(await bunker.stop()).toBe(0))
  return { folders, bunker, relay }
}

/** Each pubkey is known there, and every socket on which one is has its subscription. */
async function untilServed(relay: FaultRelay, ...pubkeys: readonly string[]): Promise<void> {
  const isServed = (): boolean => {
    const known = relay.authenticated.filter((own) => own.length > 0)
    return pubkeys.every((pubkey) => known.flat().includes(pubkey)) && relay.subscriptions.length === known.length
  }
  await until(isServed, { what: "a relay that serves everybody" })
}

/** An app that comes once the bunker listens for it: nobody keeps what it says before. */
async function connect({ relay }: Served, token: string, ...others: RemoteSigner[]): Promise<RemoteSigner> {
  const listening = others.flatMap((other) => [other.remoteSignerPubkey, other.clientPubkey])
  await untilServed(relay, new URL(token).host, ...listening)
  const signer = await RemoteSigner.connect(token, { webSocket: (url) => new WebSocket(url) })
  cleanups.push(() => signer.close())
  return signer
}

async function expectSigned(signer: RemoteSigner, { ready }: Bunker, content: string): Promise<void> {
  const event = await signer.signEvent({ kind: 1, content })
  expect(event).toMatchObject({ kind: 1, content, pubkey: ready.userPubkey })
  expect(crypto.verifyEvent(event)).toBe(true)
}

const faults = (["early", "late", "prefixed"] as const).flatMap((authRequired) =>
  (["many", "one"] as const).map((authPubkeys) => ({ authRequired, authPubkeys })),
)

describe.each(faults)("a relay that asks both sides for proofs: $authRequired, $authPubkeys", (fault) => {
  it("two apps connect and sign; the bunker proves its transport keys and never the user's", async () => {
    const relay = await startRelay(fault)
    const served = await startOn(relay)
    const { folders, bunker } = served
    const first = await connect(served, bunker.ready.bunker)
    await expectSigned(first, bunker, "over a strict relay")
    const { uri } = await runJson<{ uri: string }>(folders, ["pair", "--no-wait"])
    const second = await connect(served, uri, first)
    await expectSigned(second, bunker, "and by another app")
    await expectSigned(first, bunker, "and by the first again")
    const proofs = relay.of("AUTH").map(([event]) => event as NostrEvent)
    const transport = [first, second].flatMap((signer) => [signer.remoteSignerPubkey, signer.clientPubkey])
    expect(new Set(proofs.map(({ pubkey }) => pubkey))).toEqual(new Set(transport))
    expect(transport).not.toContain(bunker.ready.userPubkey)
    for (const { kind, content } of proofs) expect({ kind, content }).toEqual({ kind: 22242, content: "" })
    // The bunker's sockets: one for both connections, or one for each.
    expect(relay.sockets).toBe(2 + (fault.authPubkeys === "one" ? 2 : 1))
  })
})

it.each(["many", "one"] as const)(
  "an app shows its own token over a relay that keeps %s known",
  async (authPubkeys) => {
    const relay = await startRelay({ authRequired: "late", authPubkeys })
    const { folders, bunker } = await startOn(relay)
    const pairing = await RemoteSigner.pair({ relays: [relay.url], webSocket: (url) => new WebSocket(url) })
    cleanups.push(() => pairing.close())
    await runJson(folders, ["pair", pairing.uri, "--yes", "--perms", "sign_event:1", "--no-wait"])
    const signer = await pairing.connected()
    cleanups.push(() => signer.close())
    await expectSigned(signer, bunker, "let in over a strict relay")
  },
)

it.runIf(process.platform === "linux")("a keyd that dies is asked for the next proof when it is back", async () => {
  const relay = await startRelay({ authRequired: "late" })
  const served = await startOn(relay)
  const { bunker } = served
  const signer = await connect(served, bunker.ready.bunker)
  await expectSigned(signer, bunker, "before")
  const keyd = pidOf(bunker.process, "keyd") as number
  const proofs = () => relay.of("AUTH").filter(([event]) => (event as NostrEvent).pubkey === signer.remoteSignerPubkey)
  expect(proofs()).toHaveLength(1)
  kill(keyd)
  // The relay forgets who was connected while there is nobody to prove it.
  relay.closeAll()
  await until(() => proofs().length === 2, { what: "a proof by the keyd that came back" })
  await untilServed(relay, signer.remoteSignerPubkey, signer.clientPubkey)
  expect(pidOf(bunker.process, "keyd")).not.toBe(keyd)
  await expectSigned(signer, bunker, "after")
})
