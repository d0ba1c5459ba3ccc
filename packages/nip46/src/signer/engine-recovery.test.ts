import { describe, expect, it } from "vitest"
import { createBench, errorOf, eventJson, grant, ownerDid, RELAYS, signedIn } from "../../test/support/signer-bench.js"
import { Nip46Error } from "../protocol/errors.js"
import type { MemoryKeys } from "./memory-keys.js"
import type { MemoryRecord } from "./memory-record.js"
import type { SignerKeys, SignerRecord } from "./ports.js"

/** As if the process died between the commit and the answer. */
const losesAnswers = (record: MemoryRecord): SignerRecord => ({ ...record, answer: async () => undefined })

describe("recover: a crash between the commit and the answer", () => {
  it("the claim is executed, its counter moved once, and a retry gets the recovered answer", async () => {
    const bench = createBench({ record: losesAnswers })
    const client = await bench.connected([grant("sign_event", "1", { usesLeft: 1 })])
    const param = JSON.stringify({ kind: 1, content: "late" })
    const event = client.request("sign_event", [param], { id: "x" })
    const lost = signedIn(await client.send(event))
    bench.advance(10_000)
    expect(await client.send(event)).toEqual({ ignored: "in_progress" })

    const engine = bench.restart()
    const answers = await engine.recover()
    expect(answers).toHaveLength(1)
    expect(answers[0]?.relays).toEqual(RELAYS)
    const recovered = signedIn(client.open(answers[0]!))
    // The same event: a missing created_at is the time of the claim, not of the recovery.
    expect(recovered.id).toBe(lost.id)
    expect(signedIn(await client.ask("sign_event", [param], { id: "x" })).sig).toBe(recovered.sig)
    expect((await bench.connectionOf(client)).grants[0]?.usesLeft).toBe(0)
    expect(bench.record.audit.filter(({ action }) => action === "sign_event")).toHaveLength(1)
    expect(await bench.record.unanswered()).toEqual([])
  })

  it("what was denied stays denied, even if it would be allowed now", async () => {
    const bench = createBench({ record: losesAnswers })
    const client = await bench.connected([grant("sign_event", "1", { expiresAt: bench.now() })])
    errorOf(await client.ask("sign_event", [eventJson()]))
    bench.advance(-10_000)
    const [answer] = await bench.restart().recover()
    expect(errorOf(client.open(answer!))).toMatch(/not permitted/)
  })

  it("a connect is acked, a logout is acked, an unknown method is an error", async () => {
    const bench = createBench({ record: losesAnswers })
    const { connection, secret } = await bench.offer()
    const client = bench.client(connection.remoteSignerPubkey)
    await client.ask("connect", ["", secret], { id: "c" })
    await client.ask("get_relays", [], { id: "g" })
    await client.ask("logout", [], { id: "l" })
    const readings = (await bench.restart().recover()).map(client.open)
    expect(readings).toEqual([
      // It has logged out since: an ack would say that it is connected.
      { id: "c", result: "error", error: "this connection is no longer active" },
      { id: "g", result: "error", error: expect.stringMatching(/unknown method/) },
      { id: "l", result: "ack" },
    ])
  })

  it("new relays are told, though the record says that they were", async () => {
    const bench = createBench({ record: losesAnswers })
    const client = await bench.connected([], { clientRelays: ["wss://old.example"] })
    await client.ask("switch_relays")
    const [answer] = await bench.restart().recover()
    expect(client.open(answer!)).toMatchObject({ result: JSON.stringify(RELAYS) })
  })

  it.each(["paused", "revoked"] as const)("nothing is executed for a connection that was %s since", async (state) => {
    const bench = createBench({ record: losesAnswers })
    const client = await bench.connected("sign_event:1")
    await client.ask("sign_event", [eventJson()])
    await bench.record.setState((await bench.connectionOf(client)).id, state, ownerDid)
    let uses = 0
    const keys = (inner: MemoryKeys): SignerKeys => ({
      ...inner,
      userKey: (pubkey) => {
        uses++
        return inner.userKey(pubkey)
      },
    })
    const answers = await bench.restart({ keys }).recover()
    expect(answers.map((answer) => errorOf(client.open(answer)))).toEqual(
      state === "revoked" ? [] : ["this connection is no longer active"],
    )
    expect(uses).toBe(0)
  })

  it("nothing is executed for a session that expired since", async () => {
    const bench = createBench({ record: losesAnswers })
    const client = await bench.connected("sign_event:1", { expiresAt: bench.now() + 10 })
    await client.ask("sign_event", [eventJson()])
    bench.advance(20_000)
    const [answer] = await bench.restart().recover()
    expect(errorOf(client.open(answer!))).toMatch(/no longer active/)
  })

  it("what waited for more than 300 s is told so instead of executed", async () => {
    const bench = createBench({ record: losesAnswers })
    const client = await bench.connected("sign_event:1")
    await client.ask("sign_event", [eventJson()])
    bench.advance(301_000)
    const [answer] = await bench.restart().recover()
    expect(errorOf(client.open(answer!))).toBe("the signer was away for too long; ask again")
  })

  it("answers of the last 60 s are given again, older ones are not, nor those of a revoked connection", async () => {
    const bench = createBench()
    const [old, young, revoked] = [await bench.connected(), await bench.connected(), await bench.connected()]
    await old.ask("ping", [], { id: "old" })
    bench.advance(61_000)
    await young.ask("ping", [], { id: "young" })
    await revoked.ask("ping", [], { id: "revoked" })
    await bench.record.setState((await bench.connectionOf(revoked)).id, "revoked", ownerDid)
    const answers = await bench.restart().recover()
    expect(answers.map(young.open)).toEqual([{ id: "young", result: "pong" }])
    expect(await bench.restart().recover()).toEqual(answers)
  })

  it("one connection whose key does not open, and one user key that fails, keep no other from being served", async () => {
    const bench = createBench({ record: losesAnswers })
    const [broken, failing, fine] = [
      await bench.connected("sign_event:1"),
      await bench.connected("sign_event:1", { userPubkey: "ab".repeat(32) }),
      await bench.connected("sign_event:1"),
    ]
    for (const client of [broken, failing, fine]) await client.ask("sign_event", [eventJson()])
    const { id } = await bench.connectionOf(broken)
    const keys = (inner: MemoryKeys): SignerKeys => ({
      ...inner,
      async transportKey(connection) {
        if (connection.id === id) throw new Nip46Error("INVALID_KEY", "sealed by another root key")
        return inner.transportKey(connection)
      },
    })
    const answers = await bench.restart({ keys }).recover()
    expect(answers).toHaveLength(2)
    expect(errorOf(failing.open(answers[0]!))).toBe("the signer could not use its key; ask its owner to look")
    signedIn(fine.open(answers[1]!))
    const invalidKey = expect.objectContaining({ code: "INVALID_KEY" })
    expect(bench.faults).toEqual([invalidKey, invalidKey, invalidKey])
    expect(await bench.record.unanswered()).toHaveLength(1)
  })
})

describe("a record that fails", () => {
  const failing = (method: "commit" | "recall") => (record: MemoryRecord) => {
    const state = { broken: true }
    const fail = async () => {
      throw new Nip46Error("RECORD_FAILED", "the disk is full: /secret/path")
    }
    const seen: SignerRecord = {
      ...record,
      commit: (entry) => (state.broken && method === "commit" ? fail() : record.commit(entry)),
      recall: (...args) => (state.broken && method === "recall" ? fail() : record.recall(...args)),
    }
    return { state, seen }
  }

  it.each(["commit", "recall"] as const)(
    "%s: an error, no key used, nothing changed; later the retry is served",
    async (method) => {
      let uses = 0
      let state = { broken: true }
      const bench = createBench({
        record: (record) => {
          const made = failing(method)(record)
          state = made.state
          return made.seen
        },
        keys: (inner) => ({
          ...inner,
          userKey: (pubkey) => {
            uses++
            return inner.userKey(pubkey)
          },
        }),
      })
      const client = await bench.connected([grant("sign_event", "1", { usesLeft: 1 })])
      const { connection, secret } = await bench.offer()
      const newcomer = bench.client(connection.remoteSignerPubkey)
      const refused = [
        await client.ask("sign_event", [eventJson()], { id: "x" }),
        await newcomer.ask("connect", ["", secret]),
      ]
      for (const reading of refused)
        expect(errorOf(reading)).toBe("the signer could not record this request; ask again")
      expect(uses).toBe(0)
      expect(bench.record.audit.filter(({ actor }) => actor !== "owner")).toEqual([])
      expect(bench.faults).toHaveLength(2)

      state.broken = false
      signedIn(await client.ask("sign_event", [eventJson()], { id: "x" }))
      expect(await newcomer.ask("connect", ["", secret])).toMatchObject({ result: "ack" })
      expect(uses).toBe(1)
    },
  )

  it("an answer that could not be recorded is still given, and the fault is told", async () => {
    const bench = createBench({
      record: (record) => ({
        ...record,
        answer: async () => {
          throw new Nip46Error("RECORD_FAILED", "full")
        },
      }),
    })
    const client = await bench.connected()
    expect(await client.ask("ping", [], { id: "x" })).toMatchObject({ result: "pong" })
    await Promise.resolve()
    expect(bench.faults).toEqual([expect.objectContaining({ code: "RECORD_FAILED" })])
    expect(await client.ask("ping", [], { id: "x" })).toMatchObject({ result: "pong" })
    expect(bench.record.audit.filter(({ action }) => action === "ping")).toHaveLength(1)
  })

  it("a record that says moved for ever ends in an error, not in a loop", async () => {
    let commits = 0
    const bench = createBench({
      record: (record) => ({
        ...record,
        commit: async () => {
          commits++
          return { kind: "moved" }
        },
      }),
    })
    const client = await bench.connected("sign_event:1")
    expect(errorOf(await client.ask("sign_event", [eventJson()]))).toMatch(/busy changing this connection; ask again/)
    expect(commits).toBe(8)
  })

  it("a connection that was revoked while the request was on its way is not served", async () => {
    const bench = createBench({
      record: (record) => ({
        ...record,
        async recall(...args) {
          const [connection] = await record.connections()
          await record.setState(connection!.id, "revoked", ownerDid)
          return record.recall(...args)
        },
      }),
    })
    const client = await bench.connected("sign_event:1")
    expect(errorOf(await client.ask("sign_event", [eventJson()]))).toMatch(/was revoked/)
    expect(bench.record.audit.filter(({ action }) => action === "sign_event")).toEqual([])
  })
})

describe("a key store that fails", () => {
  it("a user key that is locked is an error that says so", async () => {
    const bench = createBench({
      keys: (inner) => ({
        ...inner,
        userKey: async () => {
          throw new Nip46Error("INVALID_KEY", "the user key is locked")
        },
      }),
    })
    const client = await bench.connected("sign_event:1,nip44_encrypt")
    const told = "the signer could not use its key; ask its owner to look"
    expect(errorOf(await client.ask("sign_event", [eventJson()]))).toBe(told)
    expect(errorOf(await client.ask("nip44_encrypt", [bench.userPubkey, "x"]))).toBe(told)
    const locked = expect.objectContaining({ message: "the user key is locked" })
    expect(bench.faults).toEqual([locked, locked])
    expect(await client.ask("ping")).toMatchObject({ result: "pong" })
  })

  it("invariant 6: what should not happen is answered too, in words that give nothing away", async () => {
    const fault = new Error("EIO /home/alice/vault")
    const bench = createBench({
      keys: (inner) => ({
        ...inner,
        userKey: async () => {
          throw fault
        },
      }),
    })
    const client = await bench.connected("sign_event:1")
    const reading = await client.ask("sign_event", [eventJson()], { id: "x" })
    expect(errorOf(reading)).toMatch(/^the signer failed while it did this; ask again/)
    expect(errorOf(reading)).not.toContain("alice")
    expect(bench.faults).toEqual([fault])
    expect(await client.ask("sign_event", [eventJson()], { id: "x" })).toEqual(reading)
  })
})
