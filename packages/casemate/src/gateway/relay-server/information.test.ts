import { describe, expect, test } from "vitest"
import { Peer, SIGNER, startRelay } from "../../../test/support/relay-bench.js"

describe("HTTP", () => {
  test("the information document (NIP-11), for every origin", async () => {
    const { http } = await startRelay({ identity: { name: "Mine", contact: "mailto:me@example.com" } })
    for (const url of [http, `${http}/`, `${http}?x=1`]) {
      const response = await fetch(url, { headers: { Accept: "application/nostr+json", Origin: "https://app.test" } })
      expect(response.status).toBe(200)
      expect(response.headers.get("content-type")).toBe("application/nostr+json")
      expect(response.headers.get("access-control-allow-origin")).toBe("*")
      expect(response.headers.get("access-control-allow-headers")).toBe("*")
      expect(response.headers.get("access-control-allow-methods")).toContain("GET")
      expect(await response.json()).toMatchObject({
        name: "Mine",
        contact: "mailto:me@example.com",
        supported_nips: [1, 11],
        limitation: {
          max_message_length: 131_072,
          max_subscriptions: 64,
          max_subid_length: 64,
          auth_required: false,
          restricted_writes: true,
          created_at_lower_limit: 90_000,
          created_at_upper_limit: 90_000,
        },
      })
    }
  })

  test("a preflight, a browser, a HEAD, a POST, and another's path", async () => {
    const { http } = await startRelay()
    const preflight = await fetch(http, { method: "OPTIONS" })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*")
    const page = await fetch(http, { headers: { Accept: "text/html" } })
    expect(page.headers.get("content-type")).toBe("text/plain; charset=utf-8")
    expect(await page.text()).toContain("NIP-46")
    const head = await fetch(http, { method: "HEAD", headers: { Accept: "application/nostr+json" } })
    expect([head.status, head.headers.get("content-type")]).toEqual([200, "application/nostr+json"])
    expect((await fetch(http, { method: "POST", body: "x" })).status).toBe(405)
    expect((await fetch(`${http}/more`)).status).toBe(404)
    expect((await fetch(`${http}x`)).status).toBe(404)
  })

  test("sockets open on the path alone, from every origin", async () => {
    const { url } = await startRelay()
    const peer = await Peer.dial(url, { headers: { Origin: "https://evil.test" } })
    expect(await peer.ask("REQ", "s", { "#p": [SIGNER] })).toEqual(["EOSE", "s"])
    await expect(Peer.dial(`${url}/more`)).rejects.toThrow()
    await expect(Peer.dial(url.replace("/relay", "/"))).rejects.toThrow()
  })
})
