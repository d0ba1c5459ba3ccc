import * as nip44 from "nostr-tools/nip44"
import { generateSecretKey, getPublicKey, verifyEvent } from "nostr-tools/pure"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type Bunker, type Folders, makeFolders, runJson, startBunker } from "./support/bunker.js"
import { openApp, refusal } from "./support/nostr-tools.js"

type App = Awaited<ReturnType<typeof openApp>>

describe("nostr-tools' BunkerSigner through the running daemon", () => {
  let folders: Folders
  let bunker: Bunker
  let app: App
  const apps: App[] = []
  const open = async (token: string, secretKey?: Uint8Array): Promise<App> => {
    const opened = await openApp(token, { secretKey })
    apps.push(opened)
    return opened
  }
  const newToken = async (...args: string[]): Promise<string> =>
    (await runJson<{ uri: string }>(folders, ["pair", "--no-wait", ...args])).uri

  beforeAll(async () => {
    folders = makeFolders()
    bunker = await startBunker(folders)
    app = await open(bunker.ready.bunker)
    await app.signer.connect({ name: "Demo notes", url: "https://notes.example" })
  })

  afterAll(async () => {
    for (const opened of apps) await opened.close()
    expect(await bunker.stop()).toBe(0)
    folders.remove()
  })

  it("connects, and the bunker knows the app by its metadata (N46-OVERVIEW-3, N46-METADATA-3)", async () => {
    const list = await runJson<{ status: string; name: string; clientPubkey: string }[]>(folders, ["apps", "list"])
    expect(list).toContainEqual(
      expect.objectContaining({ status: "active", name: "Demo notes", clientPubkey: getPublicKey(app.secretKey) }),
    )
  })

  it("learns a user key that is not the remote-signer's key (N46-PUBKEY-2)", async () => {
    const userPubkey = await app.signer.getPublicKey()
    expect(userPubkey).toBe(bunker.ready.userPubkey)
    expect(userPubkey).not.toBe(app.pointer.pubkey)
  })

  it("gets an event signed by the user key, unaltered (N46-SIGN-2, N46-SIGN-3, N46-SIGN-4)", async () => {
    const template = {
      kind: 1,
      content: "signed remotely \u{1f511}",
      tags: [["t", "casemate"]],
      created_at: 1_714_078_911,
    }
    const signed = await app.signer.signEvent(template)
    expect(signed).toMatchObject({ ...template, pubkey: bunker.ready.userPubkey })
    expect(verifyEvent(signed)).toBe(true)
  })

  it("encrypts and decrypts with NIP-44, both ways (N46-NIP44-2, N46-NIP44-4)", async () => {
    const friend = generateSecretKey()
    const shared = nip44.getConversationKey(friend, bunker.ready.userPubkey)
    const sent = await app.signer.nip44Encrypt(getPublicKey(friend), "to a friend")
    expect(nip44.decrypt(sent, shared)).toBe("to a friend")
    const received = nip44.encrypt("from a friend", shared)
    expect(await app.signer.nip44Decrypt(getPublicKey(friend), received)).toBe("from a friend")
  })

  it("answers ping (N46-PING-2)", async () => {
    await expect(app.signer.ping()).resolves.toBeUndefined()
  })

  it("says that there are no relays to switch to (N46-SWITCH-3)", async () => {
    expect(await app.signer.sendRequest("switch_relays", [])).toBe("null")
    expect(await app.signer.switchRelays()).toBe(false)
  })

  it("answers an unknown method with an error (N46-ERROR-1)", async () => {
    expect(await refusal(app.signer.sendRequest("get_relays", []))).toMatch(/unknown method/)
  })

  it("refuses a kind outside the permissions (N46-PERMS-4)", async () => {
    const template = { kind: 4, content: "", tags: [], created_at: 1_714_078_911 }
    expect(await refusal(app.signer.signEvent(template))).toMatch(/kind 4 is not permitted/)
    expect(await refusal(app.signer.nip04Encrypt(bunker.ready.userPubkey, "x"))).toMatch(/not permitted/)
  })

  it("QUIRKS signer 3: connects again without being asked for the secret, and nothing is widened", async () => {
    await app.signer.sendRequest("connect", [app.pointer.pubkey, "", "sign_event:4"])
    expect(await refusal(app.signer.signEvent({ kind: 4, content: "", tags: [], created_at: 1 }))).toMatch(
      /not permitted/,
    )
  })

  it("refuses a spent secret (N46-BUNKER-6)", async () => {
    const second = await open(bunker.ready.bunker)
    expect(await refusal(second.signer.connect())).toMatch(/already used/)
  })

  it("gives a stranger no key, and no connect without the secret", async () => {
    const token = await newToken()
    const stranger = await open(token)
    expect(await refusal(stranger.signer.getPublicKey())).toMatch(/not connected/)
    expect(await refusal(stranger.signer.sendRequest("connect", [stranger.pointer.pubkey, "guess"]))).toMatch(
      /secret is not/,
    )
    await stranger.signer.connect()
    expect(await stranger.signer.getPublicKey()).toBe(bunker.ready.userPubkey)
  })

  it("grants what the token says, not what the app asks for", async () => {
    const modest = await open(await newToken("--perms", "sign_event:7"))
    await modest.signer.sendRequest("connect", [modest.pointer.pubkey, modest.pointer.secret ?? "", "sign_event:1"])
    const template = { content: "+", tags: [], created_at: 1_714_078_911 }
    expect(verifyEvent(await modest.signer.signEvent({ kind: 7, ...template }))).toBe(true)
    expect(await refusal(modest.signer.signEvent({ kind: 1, ...template }))).toMatch(/kind 1 is not permitted/)
  })

  it("serves nothing after a revocation (N46-LOGOUT-7)", async () => {
    const doomed = await open(await newToken())
    await doomed.signer.connect({ name: "doomed" })
    const list = await runJson<{ id: string; name: string }[]>(folders, ["apps", "list"])
    const id = list.find(({ name }) => name === "doomed")?.id as string
    expect(await runJson(folders, ["apps", "revoke", id])).toMatchObject({ id, status: "revoked" })
    expect(await refusal(doomed.signer.ping())).toMatch(/revoked/)
    expect(await refusal(doomed.signer.connect())).toMatch(/revoked/)
  })

  it("ends the session on logout (N46-LOGOUT-4)", async () => {
    const leaving = await open(await newToken())
    await leaving.signer.connect()
    const again = await open(leavingToken(leaving), leaving.secretKey)
    await leaving.signer.logout()
    expect(await refusal(again.signer.getPublicKey())).toMatch(/logged out/)
    expect(await refusal(again.signer.connect())).toMatch(/logged out/)
  })
})

function leavingToken({ pointer }: App): string {
  const relays = pointer.relays.map((url) => `relay=${encodeURIComponent(url)}`).join("&")
  return `bunker://${pointer.pubkey}?${relays}&secret=${pointer.secret}`
}
