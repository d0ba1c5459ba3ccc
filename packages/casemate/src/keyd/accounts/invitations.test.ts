import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { AccountBench, LOCAL, ORIGIN } from "../../../test/support/account-bench.js"
import { Authenticator } from "../../../test/support/authenticator.js"

let bench: AccountBench
beforeEach(() => {
  bench = new AccountBench()
})
afterEach(() => bench.close())

describe("an invitation", () => {
  it("is a link to the pages with 128 bits in its fragment, of which the record has a hash", async () => {
    const { url, expiresAt } = await bench.atTerminal<{ url: string; expiresAt: number }>("owners.invite")
    expect(url).toMatch(/^https:\/\/bunker\.example\/casemate\/join#[\w-]{22}$/)
    expect(expiresAt).toBe(bench.time + 600)
    const secret = new URL(url).hash.slice(1)
    expect(await bench.get("invitation.show", { secret })).toEqual({ expiresAt })
    expect(bench.dump() + bench.logged.join()).not.toContain(secret)
  })

  it("cannot be made before there is a page to open", async () => {
    const ports = { ...bench.ports, pages: () => [] }
    Object.assign(bench, { ports })
    await expect(bench.atTerminal("owners.invite")).rejects.toThrow("the bunker's network side is not up")
  })

  it("is over after ten minutes", async () => {
    const secret = await bench.invite()
    const options = await bench.get("invitation.passkeyOptions", { secret, name: "alice" })
    const response = new Authenticator().create(options, { origin: ORIGIN })
    bench.time += 599
    expect(await bench.codeOf("invitation.show", { secret })).toBe("ok")
    bench.time += 1
    expect(await bench.codeOf("invitation.show", { secret })).toBe("wrong_credential")
    const codes = await Promise.all([
      bench.codeOf("invitation.passkeyOptions", { secret, name: "alice" }),
      bench.codeOf("invitation.passkey", { secret, name: "alice", response }),
      bench.codeOf("invitation.totp", { secret, name: "alice" }),
      bench.codeOf("invitation.password", { secret, name: "alice", password: "x".repeat(12), code: "123456" }),
    ])
    expect(new Set(codes)).toEqual(new Set(["wrong_credential"]))
    expect(await bench.record.owners()).toEqual([])
  })

  it("makes one owner, however many come at once", async () => {
    const secret = await bench.invite()
    const joins = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const args = { secret, name: `owner ${n}` }
        const options = await bench.get("invitation.passkeyOptions", args)
        return { ...args, response: new Authenticator().create(options, { origin: ORIGIN }) }
      }),
    )
    const codes = await Promise.all(joins.map((args) => bench.codeOf("invitation.passkey", args)))
    expect(codes.filter((code) => code === "ok")).toHaveLength(1)
    expect(codes.filter((code) => code === "wrong_credential")).toHaveLength(19)
    expect(await bench.record.owners()).toHaveLength(1)
    expect(await bench.codeOf("invitation.show", { secret })).toBe("wrong_credential")
  })

  it("is nothing that can be guessed at", async () => {
    await bench.invite()
    for (const secret of ["", "A".repeat(22), "A".repeat(64), "%00", "__proto__"]) {
      expect(await bench.codeOf("invitation.show", { secret })).toBe("wrong_credential")
    }
  })

  it("takes a name that can be seen and that no other owner has", async () => {
    const wrong = ["", " ", " alice", "alice\u202e", "a\u0000", "\u200b", "x".repeat(41), "ab".repeat(16), "a\nb"]
    const secret = await bench.invite()
    for (const name of wrong) {
      expect(await bench.codeOf("invitation.passkeyOptions", { secret, name }), JSON.stringify(name)).toBe("refused")
    }
    await bench.joinWithPasskey("Alice")
    expect(await bench.ask("invitation.passkeyOptions", { secret, name: "aLICE" })).toMatchObject({
      code: "refused",
      message: "another owner has this name; choose another",
    })
    for (const name of ["Ålice", "愛麗絲", "a b", "x".repeat(40)]) {
      expect(await bench.codeOf("invitation.passkeyOptions", { secret, name }), name).toBe("ok")
    }
  })

  it("stands when somebody else took the name in the meantime", async () => {
    const [one, other] = [await bench.invite(), await bench.invite()]
    const options = await bench.get("invitation.passkeyOptions", { secret: one, name: "alice" })
    const args = { secret: other, name: "alice" }
    const setup = await bench.get<{ secret: string }>("invitation.totp", args)
    const response = new Authenticator().create(options, { origin: ORIGIN })
    const code = bench.codeFor(setup.secret)
    const password = bench.codeOf("invitation.password", { ...args, password: "correct horse battery", code })
    const passkey = bench.codeOf("invitation.passkey", { secret: one, name: "alice", response })
    expect((await Promise.all([passkey, password])).sort()).toEqual(["ok", "refused"])
    expect(await bench.record.owners()).toHaveLength(1)
  })
})

describe("owners, at the terminal", () => {
  it("are listed, and one who is taken away is out at once with all they had", async () => {
    const passkey = new Authenticator()
    const alice = await bench.joinWithPasskey("alice", passkey)
    const bob = await bench.joinWithPassword("bob")
    const joined = { createdAt: expect.any(Number) as unknown, recoveryCodesLeft: 10, sessions: 1 }
    expect(await bench.atTerminal("owners.list")).toEqual([
      { name: "alice", passkeys: 1, hasPassword: false, ...joined },
      { name: "bob", passkeys: 0, hasPassword: true, ...joined },
    ])
    expect(await bench.atTerminal("owners.remove", { name: "ALICE" })).toMatchObject({ name: "alice" })
    expect(await bench.codeOf("session.show", {}, { session: alice.keys })).toBe("not_signed_in")
    expect(await bench.signIn(passkey)).toMatchObject({ code: "wrong_credential" })
    const [code] = alice.recoveryCodes
    expect(await bench.codeOf("session.recover", { name: "alice", code })).toBe("wrong_credential")
    expect(await bench.codeOf("session.show", {}, { session: bob.keys })).toBe("ok")
    await expect(bench.atTerminal("owners.remove", { name: "alice" })).rejects.toThrow("there is no owner of that name")
  })

  it("may join at the page of this machine, where a passkey of elsewhere is none", async () => {
    const passkey = new Authenticator()
    await bench.joinWithPasskey("alice", passkey, LOCAL)
    expect((await bench.signIn(passkey, LOCAL)).ok).toBe(true)
    expect(await bench.signIn(passkey, ORIGIN)).toMatchObject({ code: "wrong_credential" })
  })
})
