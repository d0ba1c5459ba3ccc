import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { AccountBench, type Joined, LOCAL, ORIGIN } from "../../../test/support/account-bench.js"
import { Authenticator } from "../../../test/support/authenticator.js"
import { connectApp } from "../../../test/support/bench-app.js"

let bench: AccountBench
let alice: Joined
beforeEach(async () => {
  bench = new AccountBench()
  alice = await bench.joinWithPasskey("alice")
})
afterEach(() => bench.close())

describe("what a browser asks", () => {
  it("is done as the owner that it is, by name", async () => {
    const app = await connectApp(bench)
    const session = alice.keys
    await bench.get("apps.pause", { id: app.id }, { session })
    await bench.get("apps.resume", { id: app.id }, { session })
    const { id, digest } = await app.ask(1)
    await bench.get("requests.deny", { id, digest, block: true }, { session })
    await bench.atTerminal("apps.revoke", { id: app.id })
    const rows = await bench.record.audit({ limit: 10 })
    const told = rows.filter(({ actor }) => actor.startsWith("owner")).map(({ actor, action }) => [actor, action])
    expect(told.slice(-4)).toEqual([
      ["owner alice", "owner.pause"],
      ["owner alice", "owner.resume"],
      ["owner alice", expect.any(String)],
      ["owner", "owner.revoke"],
    ])
    expect((await bench.record.verifyAudit()).ok).toBe(true)
  })

  it.each([
    ["nothing", undefined],
    ["null", null],
    ["a text", "session.show"],
    ["a list", []],
    ["no call", { args: {}, origin: ORIGIN }],
    ["a call that is no text", { call: 1, args: {}, origin: ORIGIN }],
    ["no args", { call: "session.show", origin: ORIGIN }],
    ["no origin", { call: "session.show", args: {} }],
    ["a session that is no text", { call: "session.show", args: {}, origin: ORIGIN, session: {} }],
    ["a proof that is none", { call: "session.show", args: {}, origin: ORIGIN, proof: { kind: "word" } }],
    ["a proof of another shape", { call: "session.show", args: {}, origin: ORIGIN, proof: { kind: "passkey" } }],
    ["args that are a list of lists", { call: "session.password", args: [[]], origin: ORIGIN }],
    ["args of another shape", { call: "session.password", args: { name: {}, password: [], code: 1 }, origin: ORIGIN }],
    ["a page of nobody's", { call: "session.passkeyOptions", args: {}, origin: "https://evil.example" }],
    ["a page with a path", { call: "session.passkeyOptions", args: {}, origin: `${ORIGIN}/casemate` }],
    ["a page without an origin", { call: "session.passkeyOptions", args: {}, origin: "null" }],
    ["a page that looks alike", { call: "session.passkeyOptions", args: {}, origin: `${ORIGIN}.evil.example` }],
    ["a page over another scheme", { call: "session.passkeyOptions", args: {}, origin: "http://bunker.example" }],
    ["an address of this machine", { call: "session.passkeyOptions", args: {}, origin: "http://127.0.0.1:4646" }],
  ])("is refused with %s", async (_, request) => {
    expect(await bench.send(request)).toMatchObject({ ok: false, code: "bad_request" })
  })

  it("is served at both pages", async () => {
    for (const [origin, rpId] of [
      [ORIGIN, "bunker.example"],
      [LOCAL, "localhost"],
    ] as const) {
      expect(await bench.get("session.passkeyOptions", {}, { origin })).toMatchObject({ rpId })
    }
  })

  it("is nothing that is not listed, though keyd's own socket knows it", async () => {
    const session = alice.keys
    for (const call of ["keys.exportPlain", "keys.add", "owners.invite", "connections.offer", "apps.nip04", "nothing"])
      expect(await bench.codeOf(call, {}, { session })).toBe("unknown_call")
    for (const call of ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"]) {
      expect(await bench.codeOf(call, {}, { session })).toBe("unknown_call")
      const options = await bench.codeOf("proof.options", { call, args: {} }, { session })
      expect(options).toBe("bad_request")
    }
  })

  it("is answered though something broke, of which the log says no word that was sent", async () => {
    const broken = async (): Promise<never> => {
      throw new Error("disk I/O error near 'a secret of somebody'")
    }
    Object.assign(bench.record, { session: broken })
    expect(await bench.ask("session.show", {}, { session: alice.keys })).toEqual({
      ok: false,
      code: "failed",
      message: "the bunker could not do that; its log says of which call",
    })
    expect(bench.logged.join()).toContain('"call":"session.show"')
    expect(bench.logged.join()).not.toContain("secret")
  })

  it("says its mistakes in the sentences of keyd's own socket", async () => {
    const session = alice.keys
    expect(await bench.ask("apps.show", { id: "c0ffee" }, { session })).toMatchObject({
      code: "refused",
      message: "there is no app with the id c0ffee; `casemate apps list` shows those there are",
    })
    expect(await bench.ask("apps.show", { id: "x" }, { session })).toMatchObject({ code: "bad_request" })
    expect(await bench.ask("apps.grant", { id: "c0ffee", perms: "sign" }, { session })).toMatchObject({
      code: "refused",
      message: expect.stringContaining("names an unknown method"),
    })
  })

  it("takes a passkey of one owner for that owner alone", async () => {
    const passkey = new Authenticator()
    const bob = await bench.joinWithPasskey("bob", passkey)
    const args = { id: passkey.credentialId }
    expect(await bench.codeOf("owner.removePasskey", args, { session: alice.keys })).toBe("proof_needed")
    const proof = await bench.prove(passkey, "owner.removePasskey", args, alice.keys)
    expect(await bench.codeOf("owner.removePasskey", args, { session: alice.keys, proof })).toBe("wrong_credential")
    expect(await bench.get("owner.show", {}, { session: bob.keys })).toMatchObject({ passkeys: [args] })
  })
})
