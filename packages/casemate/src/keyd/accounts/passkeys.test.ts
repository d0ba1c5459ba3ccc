import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { AccountBench, LOCAL, ORIGIN } from "../../../test/support/account-bench.js"
import { Authenticator, type Ceremony } from "../../../test/support/authenticator.js"

let bench: AccountBench
beforeEach(() => {
  bench = new AccountBench()
})
afterEach(() => bench.close())

/** What one response must not be, whatever else is right with it. */
const WRONG: readonly (readonly [string, Partial<Ceremony>])[] = [
  ["another origin", { origin: "https://evil.example" }],
  ["another origin of ours", { origin: LOCAL }],
  ["another RP ID", { rpId: "evil.example" }],
  ["a challenge that was never given out", { challenge: Buffer.alloc(54, 1).toString("base64url") }],
  ["no challenge", { challenge: "" }],
  ["nobody who was verified", { isVerified: false }],
  ["a page within another's", { crossOrigin: true }],
  ["another ceremony", { type: "payment.get" }],
]

describe("a new passkey", () => {
  it("joins with its options, which ask for one that is found without a name and knows who holds it", async () => {
    const secret = await bench.invite()
    const options = await bench.get<object>("invitation.passkeyOptions", { secret, name: "alice" })
    expect(options).toMatchObject({
      rp: { id: "bunker.example" },
      user: { name: "alice" },
      attestation: "none",
      authenticatorSelection: { residentKey: "required", requireResidentKey: true, userVerification: "required" },
    })
    const { keys } = await bench.joinWithPasskey("alice")
    expect(await bench.get("owner.show", {}, { session: keys })).toEqual({
      name: "alice",
      passkeys: [
        {
          id: expect.any(String),
          label: "first passkey",
          host: "bunker.example",
          createdAt: bench.time,
          lastUsedAt: undefined,
        },
      ],
      hasPassword: false,
      recoveryCodesLeft: 10,
      sessions: 1,
    })
  })

  it.each(WRONG)("is none with %s", async (_, wrong) => {
    const secret = await bench.invite()
    const args = { secret, name: "alice" }
    const options = await bench.get("invitation.passkeyOptions", args)
    const response = new Authenticator().create(options, { origin: ORIGIN, ...wrong })
    expect(await bench.codeOf("invitation.passkey", { ...args, response })).toBe("wrong_credential")
    expect(await bench.record.owners()).toEqual([])
    const honest = new Authenticator().create(options, { origin: ORIGIN })
    expect(await bench.codeOf("invitation.passkey", { ...args, response: honest })).toBe("ok")
  })

  it("is none for another name, another invitation, another page, or once the challenge is over", async () => {
    const [secret, other] = [await bench.invite(), await bench.invite()]
    const options = await bench.get("invitation.passkeyOptions", { secret, name: "alice" })
    const response = new Authenticator().create(options, { origin: ORIGIN })
    const codes = await Promise.all([
      bench.codeOf("invitation.passkey", { secret, name: "mallory", response }),
      bench.codeOf("invitation.passkey", { secret: other, name: "alice", response }),
      bench.codeOf("invitation.passkey", { secret, name: "alice", response }, { origin: LOCAL }),
    ])
    expect(codes).toEqual(["wrong_credential", "wrong_credential", "wrong_credential"])
    bench.time += 300
    expect(await bench.codeOf("invitation.passkey", { secret, name: "alice", response })).toBe("wrong_credential")
    expect(await bench.record.owners()).toEqual([])
  })

  it("is looked at without its maker's certificates, which lead into a network", async () => {
    const secret = await bench.invite()
    const args = { secret, name: "alice" }
    const attested = async (attestedBy: "itself" | "its maker") => {
      const options = await bench.get("invitation.passkeyOptions", args)
      const response = new Authenticator().create(options, { origin: ORIGIN, attestedBy })
      return bench.codeOf("invitation.passkey", { ...args, response })
    }
    expect(await attested("its maker")).toBe("wrong_credential")
    expect(await attested("itself")).toBe("ok")
  })

  it("uses its challenge up", async () => {
    const [first, second, third] = [new Authenticator(), new Authenticator(), new Authenticator()]
    const { keys: session } = await bench.joinWithPasskey("alice", first)
    const options = await bench.get("owner.passkeyOptions", {}, { session })
    const add = async (passkey: Authenticator) => {
      const args = { response: passkey.create(options, { origin: ORIGIN }), label: "another" }
      const proof = await bench.prove(first, "owner.addPasskey", args, session)
      return bench.codeOf("owner.addPasskey", args, { session, proof })
    }
    expect(await add(second)).toBe("ok")
    expect(await add(third)).toBe("wrong_credential")
  })

  it("is one owner's", async () => {
    const passkey = new Authenticator()
    await bench.joinWithPasskey("alice", passkey)
    await expect(bench.joinWithPasskey("bob", passkey)).rejects.toThrow("this passkey is an owner's already")
    expect(await bench.record.owners()).toHaveLength(1)
  })

  it("is added by an owner, and is another's to add no more than the challenge of another session", async () => {
    const first = new Authenticator()
    const alice = await bench.joinWithPasskey("alice", first)
    const bob = await bench.joinWithPasskey("bob")
    const second = new Authenticator()
    const options = await bench.get("owner.passkeyOptions", {}, { session: alice.keys })
    const args = { response: second.create(options, { origin: ORIGIN }), label: "phone" }
    const forBob = new Authenticator()
    expect(options).toMatchObject({ excludeCredentials: [{ id: first.credentialId }] })
    const bobs = { response: forBob.create(options, { origin: ORIGIN }), label: "phone" }
    const bobsProof = await bench.prove(new Authenticator(), "owner.addPasskey", bobs, bob.keys)
    expect(await bench.codeOf("owner.addPasskey", bobs, { session: bob.keys, proof: bobsProof })).toBe(
      "wrong_credential",
    )
    expect(await bench.codeOf("owner.addPasskey", args, { session: alice.keys })).toBe("proof_needed")
    const proof = await bench.prove(first, "owner.addPasskey", args, alice.keys)
    expect(await bench.get("owner.addPasskey", args, { session: alice.keys, proof })).toMatchObject({
      passkeys: [{ label: "first passkey" }, { label: "phone" }],
    })
    expect((await bench.signIn(second)).ok).toBe(true)
  })
})

describe("signing in with a passkey", () => {
  it("takes no name, and begins a session of 12 hours", async () => {
    const passkey = new Authenticator()
    await bench.joinWithPasskey("alice", passkey)
    const options = await bench.get<object>("session.passkeyOptions")
    expect(options).toMatchObject({ rpId: "bunker.example", userVerification: "required" })
    expect(options).toMatchObject({ allowCredentials: undefined })
    const response = passkey.get(options, { origin: ORIGIN })
    const session = await bench.get<object>("session.passkey", { response })
    expect(session).toEqual({
      owner: "alice",
      expiresAt: bench.time + 43_200,
      keys: { cookie: expect.stringMatching(/^[\w-]{43}$/), token: expect.stringMatching(/^[\w-]{43}$/) },
    })
    const [row] = await bench.record.audit({ limit: 1 })
    expect(row).toMatchObject({ actor: "owner alice", action: "owner.sign_in", verdict: "allow" })
  })

  it.each(WRONG)("does not work with %s", async (_, wrong) => {
    const passkey = new Authenticator()
    await bench.joinWithPasskey("alice", passkey)
    const options = await bench.get("session.passkeyOptions")
    const before = bench.dump()
    const response = passkey.get(options, { origin: ORIGIN, ...wrong })
    expect(await bench.codeOf("session.passkey", { response })).toBe("wrong_credential")
    expect(bench.dump()).toBe(before)
    const honest = passkey.get(options, { origin: ORIGIN })
    expect(await bench.codeOf("session.passkey", { response: honest })).toBe("ok")
  })

  it("uses a challenge up, also when two come at once", async () => {
    const passkey = new Authenticator()
    await bench.joinWithPasskey("alice", passkey)
    const response = passkey.get(await bench.get("session.passkeyOptions"), { origin: ORIGIN })
    const codes = await Promise.all(Array.from({ length: 20 }, () => bench.codeOf("session.passkey", { response })))
    expect(codes.filter((code) => code === "ok")).toHaveLength(1)
    expect(await bench.codeOf("session.passkey", { response })).toBe("wrong_credential")
  })

  it("takes no challenge of another purpose, of another page, of before a restart, or that is over", async () => {
    const passkey = new Authenticator()
    const { keys } = await bench.joinWithPasskey("alice", passkey)
    const secret = await bench.invite()
    const others = [
      await bench.get("invitation.passkeyOptions", { secret, name: "bob" }),
      await bench.get("owner.passkeyOptions", {}, { session: keys }),
      (await bench.get<{ passkey: unknown }>("proof.options", { call: "status", args: {} }, { session: keys })).passkey,
      await bench.get("session.passkeyOptions", {}, { origin: LOCAL }),
    ]
    for (const options of others) {
      const response = passkey.get({ ...(options as object), rpId: "bunker.example" }, { origin: ORIGIN })
      expect(await bench.codeOf("session.passkey", { response })).toBe("wrong_credential")
    }
    const response = passkey.get(await bench.get("session.passkeyOptions"), { origin: ORIGIN })
    bench.time += 300
    expect(await bench.codeOf("session.passkey", { response })).toBe("wrong_credential")
    const late = passkey.get(await bench.get("session.passkeyOptions"), { origin: ORIGIN })
    bench.restart()
    expect(await bench.codeOf("session.passkey", { response: late })).toBe("wrong_credential")
  })

  it("refuses a passkey whose counter does not rise, which somebody may have copied", async () => {
    const passkey = new Authenticator({ counts: true })
    await bench.joinWithPasskey("alice", passkey)
    expect((await bench.signIn(passkey)).ok).toBe(true)
    for (const counter of [1, 0]) {
      const response = passkey.get(await bench.get("session.passkeyOptions"), { origin: ORIGIN, counter })
      expect(await bench.codeOf("session.passkey", { response })).toBe("wrong_credential")
    }
    passkey.counter = 1
    expect((await bench.signIn(passkey)).ok).toBe(true)
  })

  it("takes nobody's word for whose a passkey is", async () => {
    const [mine, other] = [new Authenticator(), new Authenticator()]
    await bench.joinWithPasskey("alice", mine)
    await bench.joinWithPasskey("bob", other)
    for (const userHandle of [other.userHandle, undefined, "AAAA"]) {
      const response = mine.get(await bench.get("session.passkeyOptions"), { origin: ORIGIN, userHandle })
      expect(await bench.codeOf("session.passkey", { response })).toBe("wrong_credential")
    }
    // The key of one under the id of the other.
    const options = await bench.get("session.passkeyOptions")
    const response = { ...(mine.get(options, { origin: ORIGIN }) as object), id: other.credentialId }
    expect(await bench.codeOf("session.passkey", { response })).toBe("wrong_credential")
  })

  it("works only for the host that the passkey is for", async () => {
    const passkey = new Authenticator()
    await bench.joinWithPasskey("alice", passkey)
    const options = await bench.get("session.passkeyOptions", {}, { origin: LOCAL })
    const response = passkey.get(options, { origin: LOCAL })
    expect(await bench.codeOf("session.passkey", { response }, { origin: LOCAL })).toBe("wrong_credential")
  })

  it("goes on for owners while a stranger asks for 10,000 challenges, of which nothing is kept", async () => {
    const passkey = new Authenticator()
    await bench.joinWithPasskey("alice", passkey)
    const options = await bench.get("session.passkeyOptions")
    for (let n = 0; n < 10_000; n += 1) await bench.get("session.passkeyOptions")
    const response = passkey.get(options, { origin: ORIGIN })
    expect(await bench.codeOf("session.passkey", { response })).toBe("ok")
  })
})
