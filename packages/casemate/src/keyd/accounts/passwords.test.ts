import { verify } from "@node-rs/argon2"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { AccountBench, PASSWORD } from "../../../test/support/account-bench.js"
import { Authenticator } from "../../../test/support/authenticator.js"
import type { SessionKeys } from "../../channel/web-calls.js"
import { createLogger } from "../../config/log.js"
import { Attempts } from "./attempts.js"
import { Passwords } from "./passwords.js"
import type { WebRefusal } from "./refusal.js"

let bench: AccountBench
beforeEach(() => {
  bench = new AccountBench()
})
afterEach(() => bench.close())

const attempt = (name: string, password: string, code: string) =>
  bench.ask("session.password", { name, password, code })

describe("a password", () => {
  it.each([
    ["too short", "elevenchars", "at least 12 characters"],
    ["too short once it is written one way", "ﬁﬁﬁﬁﬁ", "at least 12 characters"],
    ["too long", "x".repeat(257), "at most 256 characters"],
    ["the name", "ALICE OF WONDERLAND", "something else than the name"],
  ])("that is %s is none", async (_, password, sentence) => {
    const secret = await bench.invite()
    const args = { secret, name: "Alice of Wonderland" }
    const setup = await bench.get<{ secret: string }>("invitation.totp", args)
    const response = await bench.ask("invitation.password", { ...args, password, code: bench.codeFor(setup.secret) })
    expect(response).toMatchObject({ ok: false, code: "refused", message: expect.stringContaining(sentence) })
    expect(JSON.stringify(response)).not.toContain(password)
  })

  it("begins with a code of the authenticator app that was set up, and with none of another", async () => {
    const secret = await bench.invite()
    const args = { secret, name: "alice" }
    const setup = await bench.get<{ secret: string; uri: string }>("invitation.totp", args)
    expect(setup.uri).toBe(
      `otpauth://totp/Casemate:alice?issuer=Casemate&secret=${setup.secret}&algorithm=SHA1&digits=6&period=30`,
    )
    // Looked at again, it is the same picture.
    expect(await bench.get("invitation.totp", args)).toEqual(setup)
    const other = await bench.get<{ secret: string }>("invitation.totp", { ...args, secret: await bench.invite() })
    expect(other.secret).not.toBe(setup.secret)
    const wrong = { ...args, password: PASSWORD, code: bench.codeFor(other.secret) }
    expect(await bench.codeOf("invitation.password", wrong)).toBe("refused")
    expect(await bench.codeOf("invitation.password", { ...wrong, code: bench.codeFor(setup.secret) })).toBe("ok")
  })

  it("signs in with a code of a step before, of now and of a step after, each once and none before the last", async () => {
    const alice = await bench.joinWithPassword("alice")
    const codes = [-1, 0, 1, 2].map((step) => {
      bench.time += step * 30
      const code = alice.code()
      bench.time -= step * 30
      return code
    })
    // The step before was that of joining.
    const [joining = "", now = "", next = "", later = ""] = codes
    expect(await attempt("alice", PASSWORD, joining)).toMatchObject({ code: "wrong_credential" })
    expect(await attempt("alice", PASSWORD, later)).toMatchObject({ code: "wrong_credential" })
    expect(await attempt("ALICE", PASSWORD, `${next.slice(0, 3)} ${next.slice(3)}`)).toMatchObject({ ok: true })
    expect(await attempt("alice", PASSWORD, next)).toMatchObject({ code: "wrong_credential" })
    expect(await attempt("alice", PASSWORD, now)).toMatchObject({ code: "wrong_credential" })
    bench.time += 90
    expect(await attempt("alice", PASSWORD, alice.code())).toMatchObject({ ok: true })
    bench.restart()
    expect(await attempt("alice", PASSWORD, alice.code())).toMatchObject({ code: "wrong_credential" })
  })

  it("is kept as argon2id of 64 MiB and three passes, under a pepper that is not in the record", async () => {
    await bench.joinWithPassword("alice")
    const kept = (await bench.record.owner("alice"))?.password?.hash ?? ""
    expect(kept).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=1\$/)
    expect(await verify(kept, PASSWORD)).toBe(false)
    const matches = await bench.ports.vault.lendPepper((secret) => verify(kept, PASSWORD, { secret }))
    expect(matches).toBe(true)
  })

  it("is the same however its letters are composed", async () => {
    const alice = await bench.joinWithPassword("alice", "cafe\u0301 au lait, svp")
    expect(await attempt("alice", "caf\u00e9 au lait, svp", alice.code())).toMatchObject({ ok: true })
  })

  it("is refused with one sentence, whatever is wrong", async () => {
    const alice = await bench.joinWithPassword("alice")
    await bench.joinWithPasskey("bob")
    const id = (await bench.record.owner("alice"))?.id ?? ""
    const responses = [
      await attempt("alice", "not the password", alice.code()),
      await attempt("alice", PASSWORD, "000000"),
      await attempt("mallory", PASSWORD, alice.code()),
      await attempt("bob", PASSWORD, alice.code()),
      await attempt(id, PASSWORD, alice.code()),
    ]
    expect(new Set(responses.map((response) => JSON.stringify(response)))).toEqual(
      new Set([
        JSON.stringify({
          ok: false,
          code: "wrong_credential",
          message: "the name, the password or the code is wrong, or the code was used already",
        }),
      ]),
    )
  })

  it("costs the same for a name that nobody has", async () => {
    const alice = await bench.joinWithPassword("alice")
    const timeOf = async (name: string): Promise<number> => {
      const start = performance.now()
      await attempt(name, "not the password", alice.code())
      return performance.now() - start
    }
    await timeOf("warm")
    const [known, unknown] = [await timeOf("alice"), await timeOf("mallory")]
    // Without a hash it would be a hundredth.
    expect(unknown).toBeGreaterThan(known / 4)
  })

  it("costs a pause once five were wrong, twice as long each time and 15 minutes at most", async () => {
    const alice = await bench.joinWithPassword("alice")
    const wrong = () => attempt("alice", "not the password", alice.code())
    for (let n = 0; n < 5; n += 1) expect(await wrong()).toMatchObject({ code: "wrong_credential" })
    for (const pause of [30, 60, 120, 240, 480, 900, 900]) {
      expect(await attempt("alice", PASSWORD, alice.code())).toMatchObject({ code: "too_many" })
      bench.time += pause - 1
      expect(await attempt("alice", PASSWORD, alice.code())).toMatchObject({ code: "too_many" })
      bench.time += 1
      expect(await wrong()).toMatchObject({ code: "wrong_credential" })
    }
    const rows = (await bench.record.audit({ limit: 100 })).filter(({ verdict }) => verdict === "deny")
    expect(rows).toHaveLength(8)
    expect(rows[0]).toMatchObject({ actor: "browser", action: "owner.sign_in", param: "alice" })
    bench.time += 900
    expect(await attempt("alice", PASSWORD, alice.code())).toMatchObject({ ok: true })
    bench.time += 30
    for (let n = 0; n < 4; n += 1) await wrong()
    expect(await attempt("alice", PASSWORD, alice.code())).toMatchObject({ ok: true })
  })

  it("pauses nothing else: no passkey, no recovery code, no session, no other owner", async () => {
    const alice = await bench.joinWithPassword("alice")
    const bob = await bench.joinWithPassword("bob")
    const passkey = new Authenticator()
    await bench.joinWithPasskey("carol", passkey)
    for (const name of ["alice", "carol"]) {
      for (let n = 0; n < 6; n += 1) await attempt(name, "not the password", "000000")
      expect(await attempt(name, PASSWORD, alice.code())).toMatchObject({ code: "too_many" })
    }
    expect(await bench.codeOf("session.show", {}, { session: alice.keys })).toBe("ok")
    expect(await bench.codeOf("session.recover", { name: "alice", code: alice.recoveryCodes[0] })).toBe("ok")
    expect((await bench.signIn(passkey)).ok).toBe(true)
    expect(await attempt("bob", PASSWORD, bob.code())).toMatchObject({ ok: true })
  })

  it("pauses names that nobody has as it does others, so that a pause tells nothing", async () => {
    await bench.joinWithPassword("alice")
    const story = async (name: string) => {
      const responses = []
      for (let n = 0; n < 6; n += 1) responses.push(await attempt(name, "not the password", "000000"))
      return responses
    }
    const before = await bench.record.audit({ limit: 100 })
    const unknown = await story("mallory")
    expect(await bench.record.audit({ limit: 100 })).toEqual(before)
    expect(await story("alice")).toEqual(unknown)
    for (const spelling of ["MALLORY", " mallory", "mallory\u3000", "\uff4dallory"])
      expect(await attempt(spelling, "not the password", "000000")).toMatchObject({ code: "too_many" })
  })

  it("pauses an owner for good, however many names strangers make up", async () => {
    const alice = await bench.joinWithPassword("alice")
    const owner = await bench.record.owner("alice")
    const { now } = bench.ports
    const log = createLogger("test", "silent")
    const [attempts, strangers] = [new Attempts(1, now), new Attempts(1, now)]
    const passwords = new Passwords({ ...bench.ports, log, attempts, strangers })
    const wrong = { password: "not the password", code: "000000" }
    const check = (known: typeof owner, attempt = wrong) =>
      passwords.check(known, "made up", attempt, async () => "in" as const).catch(({ code }: WebRefusal) => code)
    for (let n = 0; n < 5; n += 1) expect(await check(owner)).toBe("wrong_credential")
    expect(await check(undefined)).toBe("wrong_credential")
    const right = { password: PASSWORD, code: alice.code() }
    expect(await check(owner, right)).toBe("too_many")
    bench.time += 30
    expect(await check(owner, { ...right, code: alice.code() })).toBe("in")
  })

  it("is right again after one that could not be hashed", async () => {
    const alice = await bench.joinWithPassword("alice")
    const owner = await bench.record.owner("alice")
    const { now, vault } = bench.ports
    let isFull = true
    const lendPepper: typeof vault.lendPepper = (borrow) => {
      if (!isFull) return vault.lendPepper(borrow)
      throw new Error("no memory")
    }
    const short = { lendPepper, openTotp: (id: string, sealed: Uint8Array) => vault.openTotp(id, sealed) }
    const passwords = new Passwords({
      ...bench.ports,
      vault: short as typeof vault,
      log: createLogger("test", "silent"),
      attempts: new Attempts(1, now),
      strangers: new Attempts(1, now),
    })
    const check = () =>
      passwords.check(owner, "alice", { password: PASSWORD, code: alice.code() }, async () => "in" as const)
    await expect(check()).rejects.toThrow("no memory")
    isFull = false
    expect(await check()).toBe("in")
  })

  it("is tried one at a time, with a short line behind", async () => {
    const alice = await bench.joinWithPassword("alice")
    const names = ["alice", ...Array.from({ length: 30 }, (_, n) => `name ${n}`)]
    const responses = await Promise.all(names.map((name) => attempt(name, PASSWORD, alice.code())))
    const codes = responses.map((response) => (response.ok ? "ok" : response.code))
    expect(codes.filter((code) => code === "too_many")).toHaveLength(23)
    expect(codes[0]).toBe("ok")
  })

  it("is set anew with a proof and another authenticator app, and the old one is over", async () => {
    const alice = await bench.joinWithPassword("alice")
    const session = alice.keys
    const setup = await bench.get<{ secret: string }>("owner.totp", {}, { session })
    const args = { password: "another good password", code: bench.codeFor(setup.secret) }
    const recovered = { name: "alice", code: alice.recoveryCodes[1] }
    const thief = await bench.get<{ keys: SessionKeys }>("session.recover", recovered)
    expect(await bench.codeOf("owner.setPassword", args, { session })).toBe("proof_needed")
    const proof = { kind: "password", password: PASSWORD, code: alice.code() } as const
    expect(await bench.get("owner.setPassword", args, { session, proof })).toMatchObject({
      hasPassword: true,
      sessions: 1,
    })
    expect(await bench.codeOf("session.show", {}, { session: thief.keys })).toBe("not_signed_in")
    const next = await bench.get<{ secret: string }>("owner.totp", {}, { session })
    expect(next.secret).not.toBe(setup.secret)
    const other = await bench.get<{ keys: SessionKeys }>("session.recover", {
      name: "alice",
      code: alice.recoveryCodes[0],
    })
    expect(await bench.get("owner.totp", {}, { session: other.keys })).not.toEqual(next)
    bench.time += 30
    expect(await attempt("alice", PASSWORD, alice.code())).toMatchObject({ code: "wrong_credential" })
    const code = bench.codeFor(setup.secret)
    expect(await attempt("alice", args.password, code)).toMatchObject({ ok: true })
  })

  it("and what else was typed is in no log, no audit and not in the database", async () => {
    const alice = await bench.joinWithPassword("alice")
    const { secret } = await bench.get<{ secret: string }>("owner.totp", {}, { session: alice.keys })
    for (let n = 0; n < 6; n += 1) await attempt("a stranger's name", "a stranger's password", "987654")
    for (let n = 0; n < 6; n += 1) await attempt("alice", "a stranger's password", "987654")
    const written = bench.dump() + bench.logged.join("\n")
    expect(bench.logged.join("\n")).toContain("no more are tried")
    for (const word of [
      PASSWORD,
      "stranger's",
      "987654",
      secret,
      alice.keys.cookie,
      alice.keys.token,
      ...alice.recoveryCodes,
    ]) {
      expect(written).not.toContain(word)
      expect(written).not.toContain(Buffer.from(word).toString("hex"))
      expect(written).not.toContain(Buffer.from(word).toString("base64url"))
    }
  })
})
