import { describe, expect, it } from "vitest"
import { Api } from "./api.js"
import { type Kept, sessionStore } from "./session-store.js"

interface Sent {
  readonly url: string
  readonly init: RequestInit
}

interface BenchOptions {
  readonly answer?: () => Response
  readonly token?: string
}

function bench({ answer = () => Response.json({}), token }: BenchOptions = {}) {
  const sent: Sent[] = []
  let timesSignedOut = 0
  const session = sessionStore("/bunker", shut)
  if (token !== undefined) session.set(token)
  const api = new Api({
    base: "/bunker",
    session,
    async fetch(url, init) {
      if (typeof url !== "string") throw new Error("the calls here go to paths")
      sent.push({ url, init: init ?? {} })
      return answer()
    },
    onSignedOut: () => {
      timesSignedOut += 1
    },
  })
  return { api, sent, session, timesSignedOut: () => timesSignedOut }
}

function shut(): Kept {
  throw new Error("this browser keeps nothing")
}

function failure(status: number, code: string, message: string): () => Response {
  return () => Response.json({ error: { code, message } }, { status })
}

describe("a call", () => {
  it("goes to its route below the base, with this page's half of the session", async () => {
    const { api, sent } = bench({ token: "half" })
    await api.call("requests.approve", { id: "8c/1d", digest: "ab", extent: { seconds: 3_600 } })
    expect(sent[0]?.url).toBe("/bunker/api/v1/requests/8c%2F1d/approve")
    expect(sent[0]?.init).toMatchObject({
      method: "POST",
      headers: { "x-casemate-session": "half" },
      redirect: "error",
      signal: expect.any(AbortSignal),
    })
    expect(sent[0]?.init.body).toBe('{"digest":"ab","extent":{"seconds":3600}}')
  })

  it("carries its proof beside the args", async () => {
    const { api, sent } = bench()
    await api.call("owner.removePasskey", { id: "AQ" }, { kind: "password", password: "p", code: "1" })
    expect(sent[0]?.init).toMatchObject({
      method: "DELETE",
      body: '{"proof":{"kind":"password","password":"p","code":"1"}}',
    })
  })

  it("has no body and no half of a session where there is none", async () => {
    const { api, sent } = bench()
    await api.call("requests.list", { limit: 5 })
    expect(sent[0]?.url).toBe("/bunker/api/v1/requests?limit=5")
    expect(sent[0]?.init.body).toBeUndefined()
    expect(sent[0]?.init.headers).toEqual({ accept: "application/json" })
  })

  it("fails with the sentence of the bunker", async () => {
    const { api } = bench({ answer: failure(409, "refused", "this request was decided already") })
    const call = api.call("requests.show", { id: "8c1d" })
    await expect(call).rejects.toMatchObject({ code: "refused", message: "This request was decided already." })
  })

  it("forgets a session that is over, and only that", async () => {
    const over = bench({ token: "half", answer: failure(401, "not_signed_in", "sign in first") })
    await expect(over.api.call("owner.show", {})).rejects.toMatchObject({ code: "not_signed_in" })
    expect([over.session.get(), over.timesSignedOut()]).toEqual([undefined, 1])

    const wrong = bench({ token: "half", answer: failure(401, "wrong_credential", "the code is wrong") })
    await expect(wrong.api.call("owner.show", {})).rejects.toMatchObject({ code: "wrong_credential" })
    expect([wrong.session.get(), wrong.timesSignedOut()]).toEqual(["half", 0])
  })

  it("says that nobody is there, and that what answers is no bunker", async () => {
    const away = bench({
      answer: () => {
        throw new TypeError("Failed to fetch")
      },
    })
    await expect(away.api.call("owner.show", {})).rejects.toMatchObject({ code: "unreachable" })
    const proxy = bench({ answer: () => new Response("<h1>Bad Gateway</h1>", { status: 502 }) })
    await expect(proxy.api.call("owner.show", {})).rejects.toMatchObject({ code: "unknown", message: /502/ })
    const odd = bench({ answer: () => new Response("<h1>Welcome</h1>") })
    await expect(odd.api.call("owner.show", {})).rejects.toMatchObject({ code: "unknown" })
  })
})

it("counts by the bunker's clock where this device's is wrong", async () => {
  const date = new Date(Date.now() + 3_600_000)
  const { api } = bench({ answer: () => Response.json({}, { headers: { date: date.toUTCString() } }) })
  await api.call("owner.show", {})
  expect(api.now() - Date.now() / 1000).toBeGreaterThan(3_590)
})

it("keeps sessions of two bunkers at one origin apart", () => {
  const kept = new Map<string, string>()
  const storage = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
    removeItem: (name: string) => kept.delete(name),
  } as unknown as Kept
  const one = sessionStore("/one", () => storage)
  const other = sessionStore("/other", () => storage)
  one.set("half")
  expect([one.get(), other.get()]).toEqual(["half", undefined])
  one.forget()
  expect([one.get(), kept.size]).toEqual([undefined, 0])
})
