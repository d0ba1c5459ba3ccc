import type { Connection } from "@casemate/nip46/signer"
import { describe, expect, it } from "vitest"
import { watchesOf } from "./watches.js"

const DAY = 86_400
const NOW = 1_800_000_000

const connection = (fields: Partial<Connection>): Connection =>
  ({
    id: "c1",
    remoteSignerPubkey: "r1",
    relays: ["wss://one.example"],
    clientRelays: ["wss://one.example"],
    guardedRelays: [],
    createdAt: NOW - 90 * DAY,
    lastUsedAt: NOW - 80 * DAY,
    ...fields,
  }) as Connection

const isWatched = (fields: Partial<Connection>): boolean => watchesOf([connection(fields)], NOW).length === 1

describe("what the gateway listens for", () => {
  it("is named by its key and where to listen", () => {
    expect(watchesOf([connection({ state: "active" })], NOW)).toEqual([
      { connectionId: "c1", remoteSignerPubkey: "r1", relays: ["wss://one.example"], guarded: [] },
    ])
    const theirs = ["wss://theirs.example", "wss://one.example"]
    const moving = connection({ state: "active", clientRelays: theirs, guardedRelays: ["wss://theirs.example"] })
    expect(watchesOf([moving], NOW)).toMatchObject([
      { relays: ["wss://one.example", "wss://theirs.example"], guarded: ["wss://theirs.example"] },
    ])
  })

  it.each(["active", "paused"] as const)("a connection that is %s, for as long as it is in force", (state) => {
    expect(isWatched({ state })).toBe(true)
    expect(isWatched({ state, expiresAt: NOW + 1 })).toBe(true)
  })

  it.each([
    ["an offer whose token has expired", (at: number) => ({ state: "offered", secretExpiresAt: at }) as const],
    ["a session that has expired", (at: number) => ({ state: "active", expiresAt: at }) as const],
    ["a revoked connection", (at: number) => ({ state: "revoked", endedAt: at }) as const],
    ["one that has logged out", (at: number) => ({ state: "logged_out", endedAt: at }) as const],
  ])("%s, for a day, so that its app is told why", (_, ended) => {
    expect(isWatched(ended(NOW))).toBe(true)
    expect(isWatched(ended(NOW - DAY + 1))).toBe(true)
    expect(isWatched(ended(NOW - DAY))).toBe(false)
  })
})
