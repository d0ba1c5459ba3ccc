import { createHmac } from "node:crypto"
import type { Approval, Connection } from "@casemate/nip46/signer"
import { pino } from "pino"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import type { Notice } from "../../channel/gateway-channel.js"
import { Notices, type NoticesOptions, signedHeaders } from "./notices.js"

const hmac = (key: Buffer | string) => (bytes: Uint8Array) =>
  new Uint8Array(createHmac("sha256", key).update(bytes).digest())

interface Body {
  readonly type: string
  readonly timestamp: string
  readonly data: { title: string; message: string; url?: string; requestId?: string; requests?: unknown[] }
}

let approvals: Approval[]
let posted: Notice[]
let notices: Notices
let ids = 0

const bodies = (): Body[] => posted.map(({ body }) => JSON.parse(body) as Body)
const titles = (): string[] => bodies().map(({ data }) => data.title)

function open(options: Partial<NoticesOptions> = {}): Notices {
  notices = new Notices({
    waiting: async (id) => approvals.filter(({ state, claim }) => state === "pending" && claim.connectionId === id),
    approval: async (id) => approvals.find((approval) => approval.id === id),
    connections: async () => ["one", "two"].map((id) => ({ id, app: { name: `App ${id}` } }) as Connection),
    pages: "https://bunker.example",
    details: false,
    sign: hmac("key"),
    randomBytes: (length) => new Uint8Array(length).fill(ids++),
    post: async (notice) => {
      posted.push(notice)
      return undefined
    },
    log: pino({ level: "silent" }),
    ...options,
  })
  return notices
}

/** An app asks, and keyd is told that it waits. */
async function asks(scope: string, { connectionId = "one", method = "sign_event", param = "1" } = {}): Promise<string> {
  const id = `approval-${approvals.length}`
  approvals.push({ id, scope, method, param, state: "pending", claim: { connectionId } } as unknown as Approval)
  await notices.waits(id, connectionId)
  return id
}

function decides(id: string): void {
  approvals = approvals.map((approval) => (approval.id === id ? { ...approval, state: "approved" } : approval))
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_700_000_000_500 })
  approvals = []
  posted = []
  open()
})
afterEach(() => {
  notices.close()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

describe("the signature", () => {
  it("is that of the vector by which libraries for Standard Webhooks check themselves", () => {
    const headers = signedHeaders(
      { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: "1614265330", body: '{"test": 2432232314}' },
      hmac(Buffer.from("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64")),
    )
    expect(headers).toMatchObject({
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    })
  })

  it("is of id, time and body as they are sent, under an id of its own", async () => {
    await asks("a")
    await notices.test()
    for (const { headers, body } of posted) {
      const signed = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`
      expect(headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", "key").update(signed).digest("base64")}`)
      expect(headers["webhook-timestamp"]).toBe("1700000000")
    }
    expect(new Set(posted.map(({ headers }) => headers["webhook-id"])).size).toBe(2)
  })
})

describe("a notice", () => {
  it("says that something waits, and where, and not what", async () => {
    const id = await asks("a")
    expect(bodies()).toEqual([
      {
        type: "request.waiting",
        timestamp: "2023-11-14T22:13:20.500Z",
        data: {
          title: "A request waits for you",
          message: "Your bunker asks for a decision.",
          url: `https://bunker.example/requests/${id}`,
          requestId: id,
        },
      },
    ])
  })

  it("says how to look where there is no page", async () => {
    open({ pages: undefined })
    await asks("a")
    expect(bodies()[0]?.data).toEqual({
      title: "A request waits for you",
      message: "Your bunker asks for a decision: casemate requests list",
      requestId: "approval-0",
    })
  })

  it("names who asks and for what only where its owner wants that", async () => {
    open({ details: true })
    await asks("a", { param: "0" })
    await asks("b", { method: "nip44_decrypt", param: "f".repeat(64), connectionId: "two" })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(bodies().map(({ data }) => data.message)).toEqual([
      "“App one” wants to sign your profile (kind 0)",
      "“App two” wants to decrypt a text",
    ])
    expect(bodies()[0]?.data.requests).toEqual([
      { id: "approval-0", app: "“App one”", asks: "sign your profile (kind 0)" },
    ])
  })

  it("shows nothing of an app's that would be taken for more than its name", async () => {
    const name = `x\n“Bank” wants\u202e\u0000${"y".repeat(500)}`
    open({ details: true, connections: async () => [{ id: "one", app: { name } } as Connection] })
    await asks("a")
    const [line, ...others] = bodies()[0]?.data.message.split("\n") ?? []
    expect(others).toEqual([])
    expect(line).toContain("x\\u{a}“Bank” wants\\u{202e}\\u{0}")
    expect(line?.length).toBeLessThan(200)
  })

  it("names five, and counts the rest", async () => {
    open({ details: true })
    await asks("first")
    for (let n = 0; n < 7; n++) await asks(`scope ${n}`, { param: String(n) })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(bodies()[1]?.data.title).toBe("7 requests wait for you")
    expect(bodies()[1]?.data.url).toBe("https://bunker.example/requests")
    expect(bodies()[1]?.data.message.split("\n")).toHaveLength(6)
    expect(bodies()[1]?.data.message).toMatch(/\nand 2 more$/)
  })
})

describe("how often", () => {
  it("once for what an app asks again and again", async () => {
    for (let n = 0; n < 50; n++) await asks("a")
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(titles()).toEqual(["A request waits for you"])
  })

  it("once as well when equal ones come at the same time", async () => {
    await Promise.all([asks("a"), asks("a"), asks("a")])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(titles()).toEqual(["A request waits for you"])
  })

  it("again once it was decided and is asked anew, and for the same of another app", async () => {
    decides(await asks("a"))
    await vi.advanceTimersByTimeAsync(10_000)
    await asks("a")
    await vi.advanceTimersByTimeAsync(10_000)
    await asks("a", { connectionId: "two" })
    expect(titles()).toHaveLength(3)
  })

  it("no two within 10 s: what comes meanwhile is told together", async () => {
    await asks("a")
    await asks("b")
    await asks("c")
    await vi.advanceTimersByTimeAsync(9_999)
    expect(titles()).toEqual(["A request waits for you"])
    await vi.advanceTimersByTimeAsync(1)
    expect(titles()).toEqual(["A request waits for you", "2 requests wait for you"])
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(titles()).toHaveLength(2)
  })

  it("never of what was decided meanwhile", async () => {
    await asks("a")
    decides(await asks("b"))
    const still = await asks("c")
    await vi.advanceTimersByTimeAsync(10_000)
    expect(bodies()[1]?.data.requestId).toBe(still)
    decides(await asks("d"))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(titles()).toHaveLength(2)
  })

  it("twenty in an hour, and the rest with the next", async () => {
    for (let n = 0; n < 25; n++) {
      await asks(`scope ${n}`)
      await vi.advanceTimersByTimeAsync(60_000)
    }
    expect(titles()).toHaveLength(20)
    await vi.advanceTimersByTimeAsync(35 * 60_000)
    expect(titles()).toHaveLength(21)
    expect(titles().at(-1)).toBe("5 requests wait for you")
  })

  it("as before when the clock was set back by a day", async () => {
    await asks("a")
    vi.setSystemTime(Date.now() - 86_400_000)
    await asks("b")
    expect(titles()).toHaveLength(2)
  })

  it("no more once it is closed", async () => {
    await asks("a")
    await asks("b")
    notices.close()
    await asks("c")
    await vi.advanceTimersByTimeAsync(60_000)
    expect(titles()).toHaveLength(1)
  })

  it("and never fails for a record that does", async () => {
    open({ waiting: () => Promise.reject(new Error("no disk")) })
    await expect(asks("a")).resolves.toBe("approval-0")
    open({ approval: () => Promise.reject(new Error("no disk")) })
    await expect(asks("a", { connectionId: "two" })).resolves.toBe("approval-1")
    expect(posted).toEqual([])
  })
})
