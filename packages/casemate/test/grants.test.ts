import { npubEncode } from "nostr-tools/nip19"
import { generateSecretKey, getPublicKey } from "nostr-tools/pure"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { GrantArgs, OwnerCall, OwnerCalls } from "../src/channel/owner-calls.js"
import { type Bunker, type Folders, makeFolders, startBunker, until } from "./support/bunker.js"
import { callOwner } from "./support/owner.js"
import { RawClient, type Reply } from "./support/raw-client.js"
import { type AuditLine, readAudit } from "./support/record.js"

/** Through the running daemon: what an owner changes of an app, and what the app meets then. */
describe("an app whose owner changes what it may do", () => {
  let folders: Folders
  let bunker: Bunker
  const clients: RawClient[] = []
  beforeAll(async () => {
    folders = makeFolders()
    bunker = await startBunker(folders)
  })
  afterAll(async () => {
    for (const client of clients) client.close()
    expect(await bunker.stop()).toBe(0)
    folders.remove()
  })

  const owner = <C extends OwnerCall>(call: C, args: OwnerCalls[C]["args"]): Promise<OwnerCalls[C]["result"]> =>
    callOwner(folders, call, args)

  async function pair(perms: string): Promise<{ id: string; client: RawClient }> {
    const { id, uri } = await owner("connections.offer", { perms, ttl: 600 })
    const client = new RawClient(uri)
    clients.push(client)
    await client.ready()
    expect(await client.connect()).toEqual({ result: "ack" })
    return { id, client }
  }

  const now = (): number => Math.floor(Date.now() / 1000)
  const rowsOf = (id: string): AuditLine[] =>
    readAudit(folders).filter((row) => row.connection_id === id && row.action.startsWith("owner."))
  const told = (id: string): [string, string][] => rowsOf(id).map(({ action, why }) => [action, why])
  const signKind = (client: RawClient, kind: number, tags: string[][] = [], content = ""): Promise<Reply> =>
    client.request("sign_event", [JSON.stringify({ kind, content, tags, created_at: now() })])
  const signed = { result: expect.stringContaining('"sig"') as string }
  const refused = { error: expect.stringMatching(/is not permitted for this app/) as string }

  it("may do what is granted, as often as is granted", async () => {
    const { id, client } = await pair("sign_event:1")
    expect(await signKind(client, 20)).toMatchObject(refused)
    const expiresAt = now() + 3_600
    const info = await owner("apps.grant", { id, perms: "sign_event:20, sign_event:21", uses: 2, expiresAt })
    expect(info.perms).toEqual(["sign_event:1", "sign_event:20", "sign_event:21"])
    expect(info.grants).toMatchObject([
      { method: "sign_event", param: "1", effect: "allow", conditions: {} },
      { method: "sign_event", param: "20", effect: "allow", usesLeft: 2, expiresAt, conditions: {} },
      { method: "sign_event", param: "21", effect: "allow", usesLeft: 2, expiresAt, conditions: {} },
    ])
    expect(await signKind(client, 20)).toMatchObject(signed)
    expect(await signKind(client, 20)).toMatchObject(signed)
    expect(await signKind(client, 20)).toMatchObject(refused)
    const spent = await owner("apps.show", { id })
    expect(spent.perms).toEqual(["sign_event:1", "sign_event:21"])
    expect(spent.grants.map(({ usesLeft }) => usesLeft)).toEqual([undefined, 0, 2])

    // The same once more: its limits are set anew.
    const again = await owner("apps.grant", { id, perms: "sign_event:20", rate: { uses: 1, seconds: 3_600 } })
    expect(again.grants.filter(({ param }) => param === "20")).toMatchObject([{ rate: { uses: 1, seconds: 3_600 } }])
    expect(await signKind(client, 20)).toMatchObject(signed)
    expect(await signKind(client, 20)).toMatchObject(refused)
    expect(told(id)).toEqual([
      expect.anything(),
      [
        "owner.grant",
        `the owner grants sign_event:20, sign_event:21; 2 more times; until ${new Date(expiresAt * 1000).toISOString()}`,
      ],
      ["owner.grant", "the owner grants sign_event:20; at most 1 an hour"],
    ])
  })

  it("may do it only under the conditions that were named", async () => {
    const { id, client } = await pair("sign_event:1")
    const friend = getPublicKey(generateSecretKey())
    await owner("apps.grant", { id, perms: "nip44_encrypt", counterparties: [npubEncode(friend)] })
    expect(await client.request("nip44_encrypt", [friend, "hi"])).toEqual({ result: expect.any(String) as string })
    expect(await client.request("nip44_encrypt", [getPublicKey(generateSecretKey()), "hi"])).toMatchObject(refused)
    await expect(owner("apps.grant", { id, perms: "nip44_encrypt", counterparties: [client.pubkey] })).rejects.toThrow(
      "nobody to write to",
    )

    await owner("apps.grant", { id, perms: "sign_event:27235", host: "API.example.com", action: "GET" })
    const login = (url: string, method: string): Promise<Reply> =>
      signKind(client, 27235, [
        ["u", url],
        ["method", method],
      ])
    expect(await login("https://api.example.com/x", "GET")).toMatchObject(signed)
    expect(await login("https://api.example.com/x", "DELETE")).toMatchObject(refused)
    expect(await login("https://evil.example.com/x", "GET")).toMatchObject(refused)

    await owner("apps.grant", { id, perms: "sign_event:30078", dPrefix: "app/", maxContentBytes: 3 })
    expect(await signKind(client, 30078, [["d", "app/x"]], "abc")).toMatchObject(signed)
    expect(await signKind(client, 30078, [["d", "app/x"]], "abcd")).toMatchObject(refused)
    expect(await signKind(client, 30078, [["d", "other"]], "abc")).toMatchObject(refused)
  })

  it("never does what is denied, until the denial is taken back", async () => {
    const { id, client } = await pair("sign_event")
    await owner("apps.grant", { id, perms: "sign_event:1", deny: true })
    expect(await client.sign("x")).toEqual({ error: "the owner denies signing kind 1 to this app" })
    expect(await signKind(client, 7)).toMatchObject(signed)
    const { grants } = await owner("apps.ungrant", { id, what: "sign_event:1" })
    expect(grants).toMatchObject([{ method: "sign_event", effect: "allow" }])
    expect(await client.sign("x")).toMatchObject(signed)
    const [{ id: grantId } = { id: "" }] = grants
    await owner("apps.ungrant", { id, what: grantId.slice(0, 8) })
    expect(await client.sign("x")).toMatchObject(refused)
    expect(told(id).slice(1)).toEqual([
      ["owner.grant", "the owner denies sign_event:1"],
      ["owner.ungrant", "the owner takes back sign_event:1 (a denial)"],
      ["owner.ungrant", "the owner takes back sign_event"],
    ])
  })

  it("loses nothing and gains nothing when part of a change cannot be", async () => {
    const { id } = await pair("sign_event:1,sign_event:7")
    const before = await owner("apps.show", { id })
    for (const [args, why] of [
      [{ perms: "sign_event:20,ping" }, "ping is for every connected app"],
      [{ perms: "sign_event:20,nip44_encrypt", maxContentBytes: 9 }, "not for nip44_encrypt"],
      [{ perms: "sign_event:20", expiresAt: now() - 1 }, "that time is over already"],
      [{ perms: "sign_event:20", uses: 1.5 }, "--uses takes a whole number"],
      [{ perms: "sign_event:20", rate: { uses: 1_001, seconds: 60 } }, "--rate counts at most 1000 uses"],
      [{ perms: " , " }, "names no permission"],
      [{ perms: "nip44_encrypt", counterparties: ["npub1x"] }, "--with takes a public key"],
    ] satisfies [Omit<GrantArgs, "id">, string][])
      await expect(owner("apps.grant", { id, ...args })).rejects.toThrow(why)
    await expect(owner("apps.ungrant", { id, what: "sign_event:1,sign_event:20" })).rejects.toThrow(
      `app ${id} has no grant of sign_event:20`,
    )
    await expect(owner("apps.ungrant", { id, what: "0000000000000000" })).rejects.toThrow("has no grant 0000")
    await expect(owner("apps.preset", { id, preset: "everything" })).rejects.toThrow('there is no preset "everything"')
    await expect(owner("apps.extend", { id, expiresAt: now() })).rejects.toThrow("that time is over already")
    await expect(owner("apps.style", { id, style: "never" as "hold" })).rejects.toThrow("a style is")
    expect(await owner("apps.show", { id })).toEqual(before)
    expect(told(id)).toHaveLength(1)
  })

  it("has so many grants and no more", async () => {
    const { id } = await pair("sign_event:1")
    const perms = Array.from({ length: 199 }, (_, i) => `sign_event:${40_000 + i}`).join(",")
    expect((await owner("apps.grant", { id, perms })).grants).toHaveLength(200)
    expect((await owner("apps.grant", { id, perms, uses: 1 })).grants).toHaveLength(200)
    await expect(owner("apps.grant", { id, perms: "sign_event:7" })).rejects.toThrow("an app has at most 200 grants")
  })

  it("has a preset in place of its grants; what is denied stays denied", async () => {
    const { id, client } = await pair("sign_event:31337")
    await owner("apps.grant", { id, perms: "sign_event:7", deny: true })
    const presets = await owner("apps.presets", {})
    expect(presets.map(({ name }) => name)).toEqual(["ask", "social", "full"])
    const { perms, grants } = await owner("apps.preset", { id, preset: "social" })
    expect(perms).toEqual(presets[1]?.perms)
    expect(await owner("apps.show", { id })).toMatchObject({ style: "auth_url" })
    await owner("apps.style", { id, style: "deny" })
    expect(grants.filter(({ effect }) => effect === "deny")).toMatchObject([{ param: "7" }])
    expect(await client.sign("x")).toMatchObject(signed)
    expect(await signKind(client, 31337)).toMatchObject(refused)
    expect(await signKind(client, 7)).toMatchObject({ error: expect.stringContaining("the owner denies") as string })
    expect((await owner("apps.preset", { id, preset: "ask" })).perms).toEqual([])
    const asked = client.sign("x")
    await until(async () => (await owner("requests.list", {})).total === 1)
    await owner("apps.revoke", { id })
    expect((await asked).error).toContain("revoked")
    expect(told(id).slice(2, 5)).toEqual([
      ["owner.preset", "the owner gives the preset social in place of all grants"],
      ["owner.style", "the owner chose the style deny for what this app is not granted"],
      ["owner.preset", "the owner gives the preset ask in place of all grants"],
    ])
  })

  it("is paused and resumed, with one row for each change", async () => {
    const { id, client } = await pair("sign_event:1")
    for (let i = 0; i < 2; i++) expect(await owner("apps.pause", { id })).toMatchObject({ status: "paused" })
    expect(await client.sign("x")).toEqual({ error: "the owner has paused this app" })
    for (let i = 0; i < 2; i++) expect(await owner("apps.resume", { id })).toMatchObject({ status: "active" })
    expect(await client.sign("x")).toMatchObject(signed)
    expect(told(id).slice(1)).toEqual([
      ["owner.pause", "the owner paused this app"],
      ["owner.resume", "the owner lets this app go on"],
    ])
  })

  it("stays connected as long as its owner says, and comes back when that is set anew", async () => {
    const { id, client } = await pair("sign_event:1")
    const expiresAt = now() + 2
    expect(await owner("apps.extend", { id, expiresAt })).toMatchObject({ status: "active", expiresAt })
    await until(async () => (await owner("apps.show", { id })).status === "expired")
    expect((await client.sign("x")).error).toMatch(/this connection has expired/)
    const forever = await owner("apps.extend", { id, expiresAt: null })
    expect(forever).toMatchObject({ status: "active" })
    expect(forever.expiresAt).toBeUndefined()
    expect(await client.sign("x")).toMatchObject(signed)
    expect(told(id).slice(1)).toEqual([
      ["owner.extend", `the owner lets this app stay connected until ${new Date(expiresAt * 1000).toISOString()}`],
      ["owner.extend", "the owner lets this app stay connected until it is revoked"],
    ])
  })

  it("has a style, which the audit tells", async () => {
    const { id } = await pair("sign_event:1")
    for (const style of ["hold", "auth_url", "deny"] as const)
      expect(await owner("apps.style", { id, style })).toMatchObject({ style })
    expect(told(id).slice(1)).toEqual(
      ["hold", "auth_url", "deny"].map((style) => [
        "owner.style",
        `the owner chose the style ${style} for what this app is not granted`,
      ]),
    )
  })

  it("is not changed any more once it has ended, and not paused before it has begun", async () => {
    const { id } = await owner("connections.offer", { perms: "sign_event:1", ttl: 600 })
    await expect(owner("apps.pause", { id })).rejects.toThrow("nobody has connected with the token")
    expect(await owner("apps.grant", { id, perms: "sign_event:7" })).toMatchObject({ status: "offered" })
    await owner("apps.revoke", { id })
    const rows = told(id)
    for (const change of [
      () => owner("apps.grant", { id, perms: "sign_event:6" }),
      () => owner("apps.ungrant", { id, what: "sign_event:7" }),
      () => owner("apps.preset", { id, preset: "social" }),
      () => owner("apps.extend", { id, expiresAt: null }),
      () => owner("apps.pause", { id }),
      () => owner("apps.resume", { id }),
      () => owner("apps.style", { id, style: "hold" }),
    ])
      await expect(change()).rejects.toThrow(`app ${id} has already ended`)
    expect(told(id)).toEqual(rows)
  })
})
