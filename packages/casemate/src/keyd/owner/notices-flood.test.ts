import { createNodeBackend } from "@casemate/nip46/crypto/node"
import { createMemoryKeys, createMemoryRecord, SignerEngine } from "@casemate/nip46/signer"
import { createFixtures } from "@casemate/nip46/testing"
import { pino } from "pino"
import { afterEach, beforeEach, expect, it, vi } from "vitest"
import type { Notice } from "../../channel/gateway-channel.js"
import { Notices } from "./notices.js"

const FLOOD = 10_000
const MOST = 5

beforeEach(() => vi.useFakeTimers({ now: 1_800_000_000_000, toFake: ["Date", "setTimeout", "clearTimeout"] }))
afterEach(() => vi.useRealTimers())

it.each([
  ["each time for something else", FLOOD, (n: number) => 1_000 + n, MOST],
  ["for the same each time", FLOOD / 4, () => 1, 1],
] as const)(
  "a client that asks thousands of times, %s, makes few notices",
  {
    timeout: 120_000,
  },
  async (_name, flood, kindOf, most) => {
    const crypto = createNodeBackend()
    const record = createMemoryRecord()
    const keys = createMemoryKeys(crypto)
    const engine = new SignerEngine({ record, keys, crypto })
    const client = crypto.keypair(crypto.generateSecretKey())
    const transport = await keys.createTransportKey()
    const fixtures = createFixtures()
    const connection = fixtures.active({
      userPubkey: keys.addUserKey(),
      clientPubkey: client.pubkey,
      remoteSignerPubkey: transport.pubkey,
      sealedTransportKey: transport.sealed,
      style: "hold",
      grants: [],
    })
    await record.createConnection(connection, fixtures.audit())
    const conversation = crypto.conversationKey(client, transport.pubkey)
    const posted: Notice[] = []
    const notices = new Notices({
      waiting: (id) => engine.approvals.waiting(id),
      approval: (id) => record.approval(id),
      connections: () => record.connections(),
      pages: "https://bunker.example",
      details: true,
      sign: (bytes) => crypto.sha256(bytes),
      randomBytes: (length) => crypto.randomBytes(length),
      post: async (notice) => {
        posted.push(notice)
        return undefined
      },
      log: pino({ level: "silent" }),
    })
    let waiting = 0
    for (let n = 0; n < flood; n++) {
      const params = [JSON.stringify({ kind: kindOf(n), content: `canary ${n}`, tags: [], created_at: 1_800_000_000 })]
      const content = crypto.nip44Encrypt(JSON.stringify({ id: String(n), method: "sign_event", params }), conversation)
      const template = { kind: 24_133, content, tags: [["p", transport.pubkey]] }
      const event = crypto.signEvent({ ...template, created_at: Math.floor(Date.now() / 1_000) }, client)
      const outcome = await engine.handle(event)
      if (outcome.kind === "waiting") {
        waiting += 1
        await notices.waits(outcome.approvalId, outcome.connectionId)
      }
      // 10,000 in 30 s: what waits is not over by then.
      await vi.advanceTimersByTimeAsync(3)
    }
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(waiting).toBeGreaterThanOrEqual(5)
    expect(posted.length).toBeGreaterThan(0)
    expect(posted.length).toBeLessThanOrEqual(most)
    expect(posted.map(({ body }) => body).join()).not.toContain("canary")
    notices.close()
    engine.close()
    keys.close()
  },
)
