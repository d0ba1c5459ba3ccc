import { describe, expect, it } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import { fillNostrconnectUrl, isSignerName, lookupSigner } from "./index.js"

checkLeaks()

const PUBKEY = "a".repeat(64)

/** A web that answers with these documents, by URL. */
function web(documents: Record<string, unknown>) {
  const asked: { url: string; init: RequestInit | undefined }[] = []
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : input.toString()
    asked.push({ url, init })
    if (!(url in documents)) return new Response("not found", { status: 404 })
    const document = documents[url]
    return new Response(typeof document === "string" ? document : JSON.stringify(document))
  }
  return { fetch, asked }
}

const at = (domain: string, local: string): string => `https://${domain}/.well-known/nostr.json?name=${local}`
const current = {
  names: { _: PUBKEY },
  nip46: { relays: ["wss://relay.example/"], nostrconnect_url: "https://signer.example/<nostrconnect>" },
}
const pairing = {
  kind: "pairing",
  relays: ["wss://relay.example"],
  nostrconnectUrl: "https://signer.example/<nostrconnect>",
  remoteSignerAppPubkey: PUBKEY,
}

describe("lookupSigner", () => {
  it("QUIRKS client 10: reads the old shape, which is a bunker to connect to", async () => {
    const { fetch } = web({
      [at("example.com", "bob")]: { names: { bob: PUBKEY.toUpperCase() }, nip46: { [PUBKEY]: ["wss://R.example/"] } },
    })
    expect(await lookupSigner("Bob@Example.com", { fetch })).toEqual({
      kind: "bunker",
      remoteSignerPubkey: PUBKEY,
      relays: ["wss://r.example"],
    })
  })

  it("QUIRKS client 10: reads the current shape, of a domain or of a name there", async () => {
    const { fetch, asked } = web({ [at("signer.example", "_")]: current })
    expect(await lookupSigner("signer.example", { fetch })).toEqual(pairing)
    expect(asked.map(({ url }) => url)).toEqual([at("signer.example", "_")])
    const named = web({
      [at("signer.example", "_")]: current,
      [at("signer.example", "bob")]: { names: { bob: PUBKEY } },
    })
    expect(await lookupSigner("bob@signer.example", { fetch: named.fetch })).toEqual(pairing)
  })

  it("follows no redirect and sends no cookie", async () => {
    const { fetch, asked } = web({ [at("signer.example", "_")]: current })
    await lookupSigner("signer.example", { fetch })
    expect(asked[0]?.init).toMatchObject({ redirect: "error", credentials: "omit" })
  })

  it.each([
    ["not a name", {}],
    ["bob@localhost", {}],
    ["bob@exa mple.com", {}],
    ["bob@example.com/x", {}],
    ["bob@example.com", {}],
    ["bob@example.com", { [at("example.com", "bob")]: "<html>", [at("example.com", "_")]: "<html>" }],
    ["bob@example.com", { [at("example.com", "bob")]: { names: { bob: PUBKEY } }, [at("example.com", "_")]: {} }],
    ["example.com", { [at("example.com", "_")]: { names: { _: PUBKEY }, nip46: {} } }],
    ["example.com", { [at("example.com", "_")]: { names: { _: PUBKEY }, nip46: { [PUBKEY]: ["https://x"] } } }],
    ["example.com", { [at("example.com", "_")]: `{"names":${" ".repeat(1_100_000)}{}}` }],
    ["example.com", { [at("example.com", "_")]: '{"names":{"__proto__":1},"nip46":[]}' }],
  ])("%s leads nowhere, and says so (%#)", async (name, documents) => {
    const { fetch } = web(documents as Record<string, unknown>)
    await expect(lookupSigner(name, { fetch })).rejects.toMatchObject({ code: "NAME_NOT_FOUND" })
  })

  it("reads the domain's own document when it knows nothing of the name", async () => {
    const { fetch } = web({ [at("signer.example", "_")]: current })
    expect(await lookupSigner("nobody@signer.example", { fetch })).toEqual(pairing)
  })

  it("ends in time with a fetch that heeds no signal", async () => {
    const deaf: typeof globalThis.fetch = () => new Promise(() => undefined)
    await expect(lookupSigner("example.com", { fetch: deaf, timeoutMs: 10 })).rejects.toMatchObject({
      code: "NAME_NOT_FOUND",
    })
  })

  it("ends in time, and by its signal", async () => {
    const never: typeof globalThis.fetch = (_, init) =>
      new Promise((_, reject) => init?.signal?.addEventListener("abort", () => reject(new Error("aborted"))))
    await expect(lookupSigner("example.com", { fetch: never, timeoutMs: 10 })).rejects.toMatchObject({
      code: "NAME_NOT_FOUND",
    })
    const controller = new AbortController()
    const looking = lookupSigner("example.com", { fetch: never, signal: controller.signal })
    controller.abort()
    await expect(looking).rejects.toMatchObject({ code: "CLOSED" })
  })
})

describe("isSignerName", () => {
  it("knows a name from a token", () => {
    for (const name of ["bob@example.com", "_@a.b.c", "example.com", "bob@example.com:8443"]) {
      expect(isSignerName(name), name).toBe(true)
    }
    for (const text of ["bunker://x", "nostrconnect://x?a=b@c.d", "bob", "", "@example.com", "a@b@c.d"]) {
      expect(isSignerName(text), text).toBe(false)
    }
  })
})

describe("fillNostrconnectUrl", () => {
  const uri = "nostrconnect://abc?relay=wss%3A%2F%2Fr&secret=1$&"
  it("puts the token where the signer wants it, encoded where it would fall apart (N46-NIP05-6)", () => {
    expect(fillNostrconnectUrl("https://s.example/<nostrconnect>", uri)).toBe(`https://s.example/${uri}`)
    expect(fillNostrconnectUrl("https://s.example/?uri=<nostrconnect>&x=1", uri)).toBe(
      `https://s.example/?uri=${encodeURIComponent(uri)}&x=1`,
    )
  })
  it("is undefined for a template that leads to no https page", () => {
    for (const template of [
      "https://s.example/",
      "javascript:<nostrconnect>",
      "<nostrconnect>",
      "http://s/<nostrconnect>",
    ]) {
      expect(fillNostrconnectUrl(template, uri), template).toBeUndefined()
    }
  })
})
