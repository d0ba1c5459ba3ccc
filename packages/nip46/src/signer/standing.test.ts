import { describe, expect, it } from "vitest"
import type { Connection, ConnectionState } from "./ports.js"
import { standingOf } from "./standing.js"

const NOW = 1_700_000_000
const CLIENT = "11".repeat(32)
const OTHER = "22".repeat(32)

const connection = (state: ConnectionState, fields: Partial<Connection> = {}): Connection => ({
  id: "c",
  userPubkey: "33".repeat(32),
  remoteSignerPubkey: "44".repeat(32),
  sealedTransportKey: new Uint8Array(),
  clientPubkey: state === "offered" ? undefined : CLIENT,
  state,
  secretHash: undefined,
  secretExpiresAt: undefined,
  expiresAt: undefined,
  relays: [],
  clientRelays: [],
  guardedRelays: [],
  connectResponse: undefined,
  nip04Transport: false,
  style: "deny",
  app: {},
  requestedPerms: "",
  grants: [],
  createdAt: NOW,
  lastUsedAt: undefined,
  endedAt: undefined,
  revision: 1,
  ...fields,
})

describe("standingOf", () => {
  it.each<[ConnectionState, string, string]>([
    ["active", CLIENT, "live"],
    ["paused", CLIENT, "live"],
    ["logged_out", CLIENT, "logged_out"],
    ["revoked", CLIENT, "stranger"],
    ["active", OTHER, "stranger"],
    ["paused", OTHER, "stranger"],
    ["logged_out", OTHER, "stranger"],
    ["revoked", OTHER, "stranger"],
  ])("at a connection that is %s, %s is %s", (state, sender, kind) => {
    expect(standingOf(connection(state), sender, NOW).kind).toBe(kind)
  })

  it("an offer stands until the second at which its secret dies, and one without such a second is dead", () => {
    const offered = (secretExpiresAt: number | undefined) =>
      standingOf(connection("offered", { secretExpiresAt }), OTHER, NOW).kind
    expect([offered(NOW + 1), offered(NOW), offered(undefined)]).toEqual(["offered", "stranger", "stranger"])
  })

  it("a session dies at its second", () => {
    expect(standingOf(connection("active", { expiresAt: NOW + 1 }), CLIENT, NOW).kind).toBe("live")
    expect(standingOf(connection("active", { expiresAt: NOW }), CLIENT, NOW)).toEqual({
      kind: "stranger",
      reason: "this connection has expired; connect again with a new token",
    })
  })

  it("nobody is the client that is not there", () => {
    expect(standingOf(connection("active", { clientPubkey: undefined }), "", NOW).kind).toBe("stranger")
  })
})
