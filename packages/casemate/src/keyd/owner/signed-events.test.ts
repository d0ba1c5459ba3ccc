import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { createNodeBackend } from "@casemate/nip46/crypto/node"
import type { NostrEvent } from "@casemate/nip46/protocol"
import { createFixtures } from "@casemate/nip46/testing"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { findNeedles, textNeedles } from "../../../test/support/canaries.js"
import { folder, open, tamper, useRecordBench } from "../../../test/support/record-bench.js"
import type { Record } from "../record/record.js"
import { Secret } from "../vault/secret.js"
import { Vault } from "../vault/vault.js"
import { SignedEvents } from "./signed-events.js"

const crypto = createNodeBackend()
const USER = "ab".repeat(32)
const OTHER = "cd".repeat(32)

let record: Record
let vault: Vault
let signed: SignedEvents
let faults: unknown[]

useRecordBench()
beforeEach(async () => {
  const rootKey = new Secret(new Uint8Array(32).fill(7))
  vault = new Vault({ rootKey, vaultId: "00".repeat(16), crypto, loadUserKey: async () => undefined })
  rootKey.wipe()
  record = open()
  faults = []
  signed = new SignedEvents({ vault, record, onFault: (fault) => faults.push(fault) })
  const audit = createFixtures().audit()
  for (const pubkey of [USER, OTHER])
    await record.addUserKey({ name: pubkey.slice(0, 2), pubkey, sealed: new Uint8Array([1]), createdAt: 1 }, audit)
})
afterEach(async () => {
  await record.close()
  vault.close()
})

function event(fields: Partial<NostrEvent>): NostrEvent {
  return { id: "", sig: "", pubkey: USER, kind: 0, content: "", tags: [], created_at: 100, ...fields }
}

/** Keeps it, and waits until whatever that leads to is in the record. */
async function keep(fields: Partial<NostrEvent>): Promise<void> {
  signed.keep(event(fields))
  await record.note(createFixtures().audit())
}

const last = (fields: Partial<NostrEvent> = {}) => signed.last(event(fields))

describe("what was signed last", () => {
  it("is there, whole, once something was signed", async () => {
    expect(await last()).toBeUndefined()
    await keep({ content: '{"name":"ann"}', tags: [["t", "x"]], created_at: 5 })
    expect(await last()).toEqual({ content: '{"name":"ann"}', tags: [["t", "x"]], createdAt: 5 })
  })

  it.each([0, 3, 10_000, 19_999, 30_000, 39_999])("is kept for kind %d", async (kind) => {
    await keep({ kind, content: "kept" })
    expect(await last({ kind })).toMatchObject({ content: "kept" })
  })

  it.each([1, 2, 4, 7, 9_999, 20_000, 22_242, 29_999, 40_000])("is not kept for kind %d", async (kind) => {
    await keep({ kind, content: "lost" })
    expect(await last({ kind })).toBeUndefined()
  })

  it("is one for each user, each kind, and each d where the kind has one", async () => {
    await keep({ kind: 0, content: "0" })
    await keep({ kind: 3, content: "3" })
    await keep({ kind: 0, content: "other", pubkey: OTHER })
    await keep({ kind: 30_023, content: "a", tags: [["d", "a"]] })
    await keep({ kind: 30_023, content: "b", tags: [["x"], ["d", "b"], ["d", "a"]] })
    await keep({ kind: 30_023, content: "none" })
    // A replaceable kind has no d, whatever its tags say.
    await keep({ kind: 10_002, content: "d", tags: [["d", "a"]] })
    const contents = async (fields: Partial<NostrEvent>) => (await last(fields))?.content
    expect(await contents({ kind: 0 })).toBe("0")
    expect(await contents({ kind: 3 })).toBe("3")
    expect(await contents({ kind: 0, pubkey: OTHER })).toBe("other")
    expect(await contents({ kind: 30_023, tags: [["d", "a"]] })).toBe("a")
    expect(await contents({ kind: 30_023, tags: [["d", "b"]] })).toBe("b")
    expect(await contents({ kind: 30_023, tags: [["d", ""]] })).toBe("none")
    expect(await contents({ kind: 30_023, tags: [["d", "c"]] })).toBeUndefined()
    expect(await contents({ kind: 10_002, tags: [["d", "z"]] })).toBe("d")
  })

  it("is the one with the latest created_at, whichever was signed last", async () => {
    await keep({ content: "newer", created_at: 200 })
    await keep({ content: "older", created_at: 100 })
    expect(await last()).toMatchObject({ content: "newer" })
    await keep({ content: "newest", created_at: 201 })
    expect(await last()).toMatchObject({ content: "newest" })
  })

  it("is gone with its key", async () => {
    await keep({ content: "mine" })
    await record.removeUserKey(USER, createFixtures().audit())
    expect(await last()).toBeUndefined()
  })

  it("is nothing, and a fault for the log, where it was tampered with or moved", async () => {
    await keep({ kind: 0, content: "zero" })
    await keep({ kind: 3, content: "three" })
    await record.close()
    tamper("UPDATE last_signed SET sealed = (SELECT sealed FROM last_signed ORDER BY seq LIMIT 1)")
    record = open()
    signed = new SignedEvents({ vault, record, onFault: (fault) => faults.push(fault) })
    expect(await last({ kind: 0 })).toMatchObject({ content: "zero" })
    expect(await last({ kind: 3 })).toBeUndefined()
    expect(faults).toEqual([expect.objectContaining({ code: "INVALID_KEY" })])
  })

  it("is nowhere in the files in the clear", async () => {
    await keep({ kind: 30_023, content: "canary-of-content-4711", tags: [["d", "canary-of-d-4712"]] })
    await record.close()
    const files = new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]))
    expect([...files.values()].some((bytes) => bytes.includes("last_signed"))).toBe(true)
    const needles = [...textNeedles("content", "canary-of-content-4711"), ...textNeedles("d", "canary-of-d-4712")]
    expect(findNeedles(files, needles)).toEqual([])
    record = open()
  })
})
