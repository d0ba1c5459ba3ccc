import { describe, expect, it } from "vitest"
import { asking, decide, ONCE, waitingIn } from "../../test/support/approval-bench.js"
import { createBench, errorOf, eventJson, signedIn } from "../../test/support/signer-bench.js"
import type { NostrEvent } from "../protocol/event.js"
import type { MemoryRecord } from "./memory-record.js"
import type { SignerRecord } from "./ports.js"

const losesAnswers = (record: MemoryRecord): SignerRecord => ({ ...record, answer: async () => undefined })

describe("onSigned", () => {
  it("hears of what a user key signed, before the answer is there, and of nothing else", async () => {
    const heard: NostrEvent[] = []
    const bench = createBench({ onSigned: (event) => heard.push(event) })
    const client = await bench.connected("sign_event:1,nip44_encrypt")
    const signed = signedIn(await client.ask("sign_event", [eventJson(1, "one")]))
    expect(heard).toEqual([signed])
    await client.ask("nip44_encrypt", [bench.userPubkey, "text"])
    await client.ask("get_public_key")
    errorOf(await client.ask("sign_event", [eventJson(3)]))
    expect(heard).toHaveLength(1)
  })

  it("hears of an event once, however often its answer is asked for", async () => {
    const heard: NostrEvent[] = []
    const bench = createBench({ onSigned: (event) => heard.push(event) })
    const client = await bench.connected("sign_event:1")
    for (let n = 0; n < 3; n++) await client.ask("sign_event", [eventJson()], { id: "same" })
    expect(heard).toHaveLength(1)
  })

  it("hears of what an owner approved", async () => {
    const heard: NostrEvent[] = []
    const bench = createBench({ onSigned: (event) => heard.push(event) })
    const client = await asking(bench)
    const id = waitingIn(await client.ask("sign_event", [eventJson(0, "{}")]))
    expect(heard).toEqual([])
    const [reading] = await decide(bench, client, id, ONCE)
    expect(heard).toEqual([signedIn(reading!)])
  })

  it("hears of what a crash left to be signed", async () => {
    const bench = createBench({ record: losesAnswers })
    const client = await bench.connected("sign_event:1")
    const lost = signedIn(await client.ask("sign_event", [eventJson()]))
    const heard: NostrEvent[] = []
    await bench.restart({ onSigned: (event) => heard.push(event) }).recover()
    expect(heard.map(({ id }) => id)).toEqual([lost.id])
  })

  it("does no harm to the answer, whether it throws or writes into what it is given", async () => {
    const bench = createBench({
      onSigned: (event) => {
        Object.assign(event, { content: "something else" })
        throw new Error("no room")
      },
    })
    const client = await bench.connected("sign_event:1")
    expect(signedIn(await client.ask("sign_event", [eventJson(1, "mine")])).content).toBe("mine")
    expect(bench.faults).toEqual([new Error("no room")])
  })
})
