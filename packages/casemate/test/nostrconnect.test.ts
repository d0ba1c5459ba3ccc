import { randomBytes } from "node:crypto"
import * as nip44 from "nostr-tools/nip44"
import { type BunkerPointer, BunkerSigner, createNostrConnectURI } from "nostr-tools/nip46"
import { SimplePool } from "nostr-tools/pool"
import { type Event, generateSecretKey, getPublicKey, verifyEvent } from "nostr-tools/pure"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { AcceptInfo, AppInfo } from "../src/channel/owner-calls.js"
import {
  type Bunker,
  type Folders,
  kill,
  makeFolders,
  pidOf,
  runCli,
  runJson,
  startBunker,
  until,
} from "./support/bunker.js"
import { startNaiveRelay } from "./support/naive-relay.js"
import { refusal } from "./support/nostr-tools.js"
import { callOwner } from "./support/owner.js"
import { readAudit } from "./support/record.js"

/** An app that nobody here wrote shows a nostrconnect:// token, and a person takes it to the bunker. */
interface UriApp {
  readonly uri: string
  readonly secret: string
  readonly pubkey: string
  /** Subscribes, and resolves once a signer has proved itself by the secret. */
  open(options?: { skipSwitchRelays?: boolean }): Promise<BunkerSigner>
  /** The message of an event that a signer sent. */
  read(event: Event): unknown
  /** With the same keys, as a page that is loaded again has. */
  again(pointer: BunkerPointer): BunkerSigner
  close(): void
}

const TEMPLATE = { content: "hello", tags: [], created_at: 1_714_078_911 }
/** Those that an app gets when it asks for all and its owner says no more than yes. */
const COMMON_KINDS = [1, 6, 7, 16, 1111, 9734]
const apps: UriApp[] = []

function showUri(relays: readonly string[], perms: readonly string[] = [], name = "Notes"): UriApp {
  const secretKey = generateSecretKey()
  const pools: SimplePool[] = []
  const newPool = (): SimplePool => {
    const pool = new SimplePool()
    pools.push(pool)
    return pool
  }
  const secret = randomBytes(16).toString("hex")
  const clientPubkey = getPublicKey(secretKey)
  const uri = createNostrConnectURI({
    clientPubkey,
    relays: [...relays],
    secret,
    perms: [...perms],
    name,
    url: "https://notes.example",
  })
  const app: UriApp = {
    uri,
    secret,
    pubkey: clientPubkey,
    open: ({ skipSwitchRelays = false } = {}) =>
      BunkerSigner.fromURI(secretKey, uri, { pool: newPool(), skipSwitchRelays }, 45_000),
    read: ({ pubkey, content }) =>
      JSON.parse(nip44.decrypt(content, nip44.getConversationKey(secretKey, pubkey))) as unknown,
    again: (pointer) => BunkerSigner.fromBunker(secretKey, pointer, { pool: newPool() }),
    close() {
      for (const pool of pools.splice(0)) pool.destroy()
    },
  }
  apps.push(app)
  return app
}

describe("nostr-tools' BunkerSigner.fromURI through the running daemon", () => {
  let folders: Folders
  let bunker: Bunker
  const pair = (app: UriApp, ...args: string[]): Promise<AcceptInfo> =>
    runJson<AcceptInfo>(folders, ["pair", app.uri, "--yes", "--no-wait", ...args])
  const list = (): Promise<readonly AppInfo[]> => callOwner(folders, "apps.list", {})

  beforeAll(async () => {
    folders = makeFolders()
    bunker = await startBunker(folders)
  })
  afterAll(async () => {
    for (const app of apps) app.close()
    expect(await bunker.stop()).toBe(0)
    folders.remove()
  })

  it("pairs, and signs what was requested as far as an app gets it by default (N46-NOSTRCONNECT-6, N46-NOSTRCONNECT-8)", async () => {
    const app = showUri(bunker.ready.relays, ["sign_event:1", "sign_event:4", "nip44_encrypt"])
    const [signer, info] = await Promise.all([app.open(), pair(app)])
    expect(info).toMatchObject({
      event: "accepted",
      isNew: true,
      status: "active",
      name: "Notes",
      url: "https://notes.example",
      clientPubkey: app.pubkey,
      perms: ["sign_event:1", "nip44_encrypt"],
      requestedPerms: "sign_event:1,sign_event:4,nip44_encrypt",
    })
    expect(await signer.getPublicKey()).toBe(bunker.ready.userPubkey)
    expect(signer.bp.pubkey).toBe(info.remoteSignerPubkey)
    expect(signer.bp.pubkey).not.toBe(bunker.ready.userPubkey)
    expect(verifyEvent(await signer.signEvent({ kind: 1, ...TEMPLATE }))).toBe(true)
    expect(await refusal(signer.signEvent({ kind: 4, ...TEMPLATE }))).toMatch(/kind 4 is not permitted/)
    expect(await refusal(signer.signEvent({ kind: 7, ...TEMPLATE }))).toMatch(/kind 7 is not permitted/)
    await signer.ping()
    expect(await signer.switchRelays()).toBe(false)
  })

  it("grants what the owner gives with --perms, sensitive kinds only where named", async () => {
    const app = showUri(bunker.ready.relays, ["sign_event:1", "sign_event:4"])
    const [signer, info] = await Promise.all([app.open(), pair(app, "--perms", "sign_event,sign_event:0")])
    expect(info.perms).toEqual(["sign_event", "sign_event:0"])
    for (const kind of [0, 1, 4, 7]) expect(verifyEvent(await signer.signEvent({ kind, ...TEMPLATE }))).toBe(true)
    expect(await refusal(signer.signEvent({ kind: 3, ...TEMPLATE }))).toMatch(/kind 3 is not permitted/)
  })

  it("QUIRKS signer 6: reads what it can of perms and metadata, and a bare sign_event as what is common", async () => {
    const app = showUri(bunker.ready.relays)
    const metadata = encodeURIComponent(JSON.stringify({ name: "Old", url: "https://old.example", icon: "https://i" }))
    const uri = app.uri.replace(/&(?:name|url)=[^&]*/g, "").replace(/&perms=[^&]*/, "")
    const odd = `${uri}&metadata=${metadata}&perms=sign_event,+nip44_encrypt+,get_relays,,create_account:x`
    const info = await runJson<AcceptInfo>(folders, ["pair", odd, "--yes", "--no-wait"])
    expect(info).toMatchObject({ name: "Old", url: "https://old.example" })
    expect(info.perms).toEqual([...COMMON_KINDS.map((kind) => `sign_event:${kind}`), "nip44_encrypt"])
  })

  it("QUIRKS signer 6: lets an app that asks for nothing know the public key and no more", async () => {
    const app = showUri(bunker.ready.relays)
    const [signer, info] = await Promise.all([app.open(), pair(app)])
    expect(info.perms).toEqual([])
    expect(await signer.getPublicKey()).toBe(bunker.ready.userPubkey)
    expect(await refusal(signer.signEvent({ kind: 1, ...TEMPLATE }))).toMatch(/kind 1 is not permitted/)
  })

  it("shows who asks for what, and what came first", async () => {
    const app = showUri(bunker.ready.relays, ["sign_event:1", "sign_event:3"], 'Evil" \u001b[2J')
    const shown = runCli(folders, ["pair", app.uri, "--yes", "--data-dir", folders.data])
    const signer = await app.open({ skipSwitchRelays: true })
    expect(await refusal(signer.signEvent({ kind: 3, ...TEMPLATE }))).toMatch(/not permitted/)
    const { code, stdout, stderr } = await shown
    expect([code, stderr]).toEqual([0, ""])
    expect(stdout).toContain('calls itself    "Evil\\" \\u{1b}[2J"')
    expect(stdout).toContain(`its public key  ${app.pubkey}`)
    expect(stdout).toContain("asks for        sign_event:1,sign_event:3\n")
    expect(stdout).toContain("may             sign_event:1\n")
    expect(stdout).toContain("may not         sign_event:3; --perms decides\n")
    expect(stdout).toMatch(/Let in: "Evil\\" \\u\{1b\}\[2J" \([0-9a-f]{16}\)\./)
    expect(stdout).toMatch(
      /is connected; it asked first: sign_event 3, and was refused: signing kind 3 is not permitted/,
    )
    expect(stdout).not.toContain(app.secret)
  })

  it("prints one JSON object a line with --json, the first request the second", async () => {
    const app = showUri(bunker.ready.relays, ["sign_event:1"])
    const printed = runCli(folders, ["pair", app.uri, "--yes", "--json", "--data-dir", folders.data])
    const signer = await app.open({ skipSwitchRelays: true })
    await signer.getPublicKey()
    const lines = (await printed).stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object)
    expect(lines).toMatchObject([
      { event: "accepted", clientPubkey: app.pubkey },
      { event: "first_request", action: "get_public_key", verdict: "allow" },
    ])
  })

  it("sends the secret again to an app that listens late", { timeout: 30_000 }, async () => {
    // This relay keeps nothing: what came before the app listens is lost, the second time, at 2 s, included.
    const relay = await startNaiveRelay()
    const app = showUri([relay.url], ["sign_event:1"])
    await pair(app)
    await until(() => relay.received.length === 2)
    const signer = await app.open()
    expect(await signer.getPublicKey()).toBe(bunker.ready.userPubkey)
    expect(new Set(relay.received.slice(0, 3).map(({ id }) => id)).size).toBe(3)
    app.close()
    await relay.close()
  })

  it("goes on sending the secret when keyd was killed meanwhile", { timeout: 60_000 }, async () => {
    const app = showUri(bunker.ready.relays, ["sign_event:1"])
    await pair(app)
    kill(pidOf(bunker.process, "keyd") as number)
    const signer = await app.open()
    expect(verifyEvent(await signer.signEvent({ kind: 1, ...TEMPLATE }))).toBe(true)
  })

  it("acks a second connect and widens nothing, and a stranger with the token gets nothing", async () => {
    const app = showUri(bunker.ready.relays, ["sign_event:1"])
    const [signer] = await Promise.all([app.open(), pair(app)])
    expect(await signer.sendRequest("connect", [signer.bp.pubkey, app.secret, "sign_event:7"])).toBe("ack")
    expect(await signer.sendRequest("connect", ["", ""])).toBe("ack")
    expect(await refusal(signer.signEvent({ kind: 7, ...TEMPLATE }))).toMatch(/not permitted/)

    const pool = new SimplePool()
    const stranger = BunkerSigner.fromBunker(generateSecretKey(), { ...signer.bp, secret: app.secret }, { pool })
    expect(await refusal(stranger.connect())).toMatch(/already used/)
    await stranger.close()
    pool.destroy()
  })

  it("knows the same token again: one connection, nothing widened", async () => {
    const app = showUri(bunker.ready.relays, ["sign_event:1"])
    const [signer, first] = await Promise.all([app.open(), pair(app)])
    await signer.ping()
    const again = await pair(app, "--perms", "sign_event")
    expect(again).toMatchObject({ id: first.id, isNew: false, perms: ["sign_event:1"] })
    const text = await runCli(folders, ["pair", app.uri, "--yes", "--data-dir", folders.data])
    expect(text.stdout).toContain(`This token was let in before, as ${first.id}; nothing was changed.`)
    expect((await list()).filter(({ clientPubkey }) => clientPubkey === app.pubkey)).toHaveLength(1)

    await runJson(folders, ["apps", "revoke", first.id])
    const { code, stderr } = await runCli(folders, ["pair", app.uri, "--yes", "--data-dir", folders.data])
    expect([code, stderr]).toEqual([
      1,
      "casemate: the connection of this nostrconnect:// token has ended or is paused; show a new one in the app\n",
    ])
    expect(await refusal(signer.ping())).toMatch(/revoked/)
  })

  it("serves the session on after a restart of everything", { timeout: 60_000 }, async () => {
    const app = showUri(bunker.ready.relays, ["sign_event:1"])
    const [signer] = await Promise.all([app.open(), pair(app)])
    expect(await signer.getPublicKey()).toBe(bunker.ready.userPubkey)
    await bunker.killAll()
    bunker = await startBunker(folders, ["--http", `localhost:${new URL(bunker.ready.http).port}`])
    const again = app.again(signer.bp)
    expect(verifyEvent(await again.signEvent({ kind: 1, ...TEMPLATE }))).toBe(true)
  })

  it("ends the session on logout (N46-LOGOUT-3, N46-LOGOUT-4)", async () => {
    const app = showUri(bunker.ready.relays, ["sign_event:1"])
    const [signer, { id }] = await Promise.all([app.open(), pair(app)])
    await signer.logout()
    const again = app.again(signer.bp)
    expect(await refusal(again.getPublicKey())).toMatch(/logged out/)
    expect((await list()).find((each) => each.id === id)?.status).toBe("logged_out")
  })

  it("QUIRKS signer 15: meets at one relay though the other is dead, and has listened there before it said the secret, and that alone", async () => {
    const relay = await startNaiveRelay()
    const app = showUri([relay.url, "ws://127.0.0.1:1"], ["sign_event:1"])
    const [signer, info] = await Promise.all([app.open(), pair(app)])
    const firstRequest = relay.received.findIndex(({ pubkey }) => pubkey === app.pubkey)
    const before = relay.received.slice(0, firstRequest)
    expect(before.length).toBeGreaterThan(0)
    for (const event of before) {
      expect(event.pubkey).toBe(info.remoteSignerPubkey)
      expect(app.read(event)).toEqual({ id: expect.any(String) as string, result: app.secret })
    }
    expect(relay.listeners(info.remoteSignerPubkey)).toBeGreaterThan(0)
    expect(verifyEvent(await signer.signEvent({ kind: 1, ...TEMPLATE }))).toBe(true)
    app.close()
    await relay.close()
  })

  it("moves an app to the owner's relay when it asks, and serves it at both until then (N46-SWITCH-6)", {
    timeout: 30_000,
  }, async () => {
    const theirs = await startNaiveRelay()
    const app = showUri([theirs.url], ["sign_event:1"])
    const [own = ""] = bunker.ready.relays
    const [signer] = await Promise.all([app.open({ skipSwitchRelays: true }), pair(app, "--relay", own)])
    expect(verifyEvent(await signer.signEvent({ kind: 1, ...TEMPLATE }))).toBe(true)
    expect(await signer.switchRelays()).toBe(true)
    expect(signer.bp.relays).toEqual([own])
    const before = theirs.received.length
    expect(verifyEvent(await signer.signEvent({ kind: 1, ...TEMPLATE, content: "moved" }))).toBe(true)
    expect(theirs.received.length).toBe(before)
    app.close()
    await theirs.close()
  })

  it("says of each relay why it cannot be reached, and leaves nothing", { timeout: 30_000 }, async () => {
    const app = showUri(["ws://127.0.0.1:1", "ws://localhost:2"], ["sign_event:1"])
    const before = [await list(), readAudit(folders).length]
    const started = Date.now()
    const { code, stderr } = await runCli(folders, ["pair", app.uri, "--yes", "--data-dir", folders.data])
    expect(Date.now() - started).toBeLessThan(15_000)
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^casemate: no relay of this token can be reached \(ws:.*ECONNREFUSED.*; ws:.*ECONNREFUSED.*\); nothing was changed\n$/,
    )
    expect([await list(), readAudit(folders).length]).toEqual(before)
  })

  it("dials no private relay of a token unless the owner allows it", async () => {
    const shut = showUri(["wss://10.1.2.3", "ws://relay.example.com", "wss://[fd00::1]"], ["sign_event:1"])
    expect((await runCli(folders, ["pair", shut.uri, "--yes", "--data-dir", folders.data])).stderr).toBe(
      "casemate: no relay of this token may be dialled (wss://10.1.2.3: it lies in a private network; " +
        "ws://relay.example.com: it is not encrypted; wss://[fd00::1]: it lies in a private network); " +
        "if you know them, add --allow-private-relays\n",
    )

    const { port } = new URL(bunker.ready.http)
    const mixed = showUri([...bunker.ready.relays, `ws://10.1.2.3:${port}`], ["sign_event:1"])
    const [signer, info] = await Promise.all([mixed.open(), pair(mixed)])
    expect(info.relays).toEqual(bunker.ready.relays)
    await signer.ping()
  })
})
