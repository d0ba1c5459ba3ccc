import { afterEach, beforeEach, expect, it } from "vitest"
import { AccountBench, type Joined, LOCAL, ORIGIN, PASSWORD } from "../../../test/support/account-bench.js"
import { Authenticator } from "../../../test/support/authenticator.js"
import { type BenchApp, connectApp } from "../../../test/support/bench-app.js"
import type { AppInfo } from "../../channel/owner-calls.js"

let bench: AccountBench
let app: BenchApp
let passkey: Authenticator
let alice: Joined
beforeEach(async () => {
  bench = new AccountBench()
  passkey = new Authenticator()
  alice = await bench.joinWithPasskey("alice", passkey)
  app = await connectApp(bench)
})
afterEach(() => bench.close())

const full = () => ({ id: app.id, preset: "full" })
const permsOf = async (): Promise<readonly string[]> =>
  (await bench.atTerminal<AppInfo>("apps.show", { id: app.id })).perms

it("a proof is what its options prepare, and lets the call be made once", async () => {
  const session = alice.keys
  expect(await bench.ask("apps.preset", full(), { session })).toMatchObject({ ok: false, code: "proof_needed" })
  const options = await bench.get("proof.options", { call: "apps.preset", args: full() }, { session })
  expect(options).toMatchObject({
    password: false,
    passkey: {
      rpId: "bunker.example",
      userVerification: "required",
      allowCredentials: [{ id: passkey.credentialId, transports: ["internal"] }],
    },
  })
  const proof = await bench.prove(passkey, "apps.preset", full(), session)
  expect(await bench.codeOf("apps.preset", full(), { session, proof })).toBe("ok")
  expect(await permsOf()).toContain("sign_event")
  expect(await bench.codeOf("apps.preset", full(), { session, proof })).toBe("wrong_credential")
})

it("twenty who send one proof at once make one call", async () => {
  const session = alice.keys
  const proof = await bench.prove(passkey, "owner.recoveryCodes", {}, session)
  const codes = await Promise.all(
    Array.from({ length: 20 }, () => bench.codeOf("owner.recoveryCodes", {}, { session, proof })),
  )
  expect(codes.filter((code) => code === "ok")).toHaveLength(1)
})

it("proves exactly one call with exactly its args, in one session, on one page, for two minutes", async () => {
  const other = await connectApp(bench)
  const { keys: session } = alice
  const elsewhere = (await bench.signIn(passkey)) as unknown as { result: Joined }
  const proof = await bench.prove(passkey, "apps.preset", full(), session)
  const grant = { id: app.id, perms: "sign_event" }
  const before = await permsOf()
  const codes = [
    await bench.codeOf("apps.preset", { ...full(), id: other.id }, { session, proof }),
    await bench.codeOf("apps.preset", { ...full(), preset: "social" }, { session, proof }),
    await bench.codeOf("apps.grant", grant, { session, proof }),
    await bench.codeOf("owner.recoveryCodes", {}, { session, proof }),
    await bench.codeOf("apps.preset", full(), { session: elsewhere.result.keys, proof }),
    await bench.codeOf("apps.preset", full(), { session, proof, origin: LOCAL }),
  ]
  expect(codes).toEqual(codes.map(() => "wrong_credential"))
  expect(await permsOf()).toEqual(before)
  bench.time += 119
  expect(await bench.codeOf("apps.preset", { preset: "full", id: app.id, more: 1 }, { session, proof })).toBe("ok")
  const late = await bench.prove(passkey, "apps.preset", full(), session)
  bench.time += 120
  expect(await bench.codeOf("apps.preset", full(), { session, proof: late })).toBe("wrong_credential")
})

it("counts: a copy of the passkey that is behind is none, to prove as to sign in", async () => {
  const counting = new Authenticator({ counts: true })
  const { keys: session } = await bench.joinWithPasskey("carol", counting)
  const proof = await bench.prove(counting, "owner.recoveryCodes", {}, session)
  expect(await bench.codeOf("owner.recoveryCodes", {}, { session, proof })).toBe("ok")
  counting.counter = 0
  expect(await bench.signIn(counting)).toMatchObject({ code: "wrong_credential" })
  counting.counter = 0
  const behind = await bench.prove(counting, "owner.recoveryCodes", {}, session)
  expect(await bench.codeOf("owner.recoveryCodes", {}, { session, proof: behind })).toBe("wrong_credential")
})

it("is no way to sign in, and signing in proves nothing", async () => {
  const session = alice.keys
  const signIn = passkey.get(await bench.get("session.passkeyOptions"), { origin: ORIGIN })
  const proof = { kind: "passkey", response: signIn } as const
  expect(await bench.codeOf("apps.preset", full(), { session, proof })).toBe("wrong_credential")
  const proven = await bench.prove(passkey, "apps.preset", full(), session)
  const { response } = proven as { response: unknown }
  expect(await bench.codeOf("session.passkey", { response })).toBe("wrong_credential")
})

it("is the owner's own, by somebody who was verified", async () => {
  const session = alice.keys
  const bobs = new Authenticator()
  await bench.joinWithPasskey("bob", bobs)
  const { passkey: options } = await bench.get<{ passkey: object }>(
    "proof.options",
    { call: "apps.preset", args: full() },
    { session },
  )
  const send = (response: unknown) =>
    bench.codeOf("apps.preset", full(), { session, proof: { kind: "passkey", response } })
  expect(await send(bobs.get(options, { origin: ORIGIN }))).toBe("wrong_credential")
  expect(await send(bobs.get(options, { origin: ORIGIN, userHandle: passkey.userHandle }))).toBe("wrong_credential")
  expect(await send(passkey.get(options, { origin: ORIGIN, isVerified: false }))).toBe("wrong_credential")
  expect(await send(passkey.get(options, { origin: ORIGIN, userHandle: bobs.userHandle }))).toBe("wrong_credential")
  // An authenticator need not say whose it is where it was named.
  expect(await send(passkey.get(options, { origin: ORIGIN, userHandle: undefined }))).toBe("ok")
})

it("a password proves with a code that was not used, within the limits of signing in", async () => {
  const bob = await bench.joinWithPassword("bob")
  const session = bob.keys
  expect(await bench.get("proof.options", { call: "apps.preset", args: full() }, { session })).toEqual({
    passkey: undefined,
    password: true,
  })
  const proof = () => ({ kind: "password", password: PASSWORD, code: bob.code() }) as const
  const first = proof()
  expect(await bench.codeOf("apps.preset", full(), { session, proof: first })).toBe("ok")
  expect(await bench.codeOf("apps.preset", full(), { session, proof: first })).toBe("wrong_credential")
  const again = { name: "bob", password: PASSWORD, code: first.code }
  expect(await bench.codeOf("session.password", again)).toBe("wrong_credential")
  const wrong = { kind: "password", password: "not the password", code: "000000" } as const
  for (let n = 0; n < 3; n += 1)
    expect(await bench.codeOf("apps.preset", full(), { session, proof: wrong })).toBe("wrong_credential")
  bench.time += 29
  expect(await bench.codeOf("apps.preset", full(), { session, proof: proof() })).toBe("too_many")
  // Another's password proves nothing of this one.
  const asAlice = { session: alice.keys, proof: proof() }
  expect(await bench.codeOf("apps.preset", full(), asAlice)).toBe("wrong_credential")
})

it("the scope of what waits is keyd's to know: a login for good takes a proof, a note and a login once do not", async () => {
  const session = alice.keys
  const approve = async (kind: number, extent: unknown) => {
    const { id, digest } = await app.ask(kind)
    return {
      args: { id, digest, extent },
      code: await bench.codeOf("requests.approve", { id, digest, extent }, { session }),
    }
  }
  expect(await approve(1, "always")).toMatchObject({ code: "ok" })
  expect(await approve(5, "once")).toMatchObject({ code: "ok" })
  const { args, code } = await approve(5, { seconds: 3_600 })
  expect(code).toBe("proof_needed")
  const proof = await bench.prove(passkey, "requests.approve", args, session)
  const wider = { ...args, extent: "always" }
  expect(await bench.codeOf("requests.approve", wider, { session, proof })).toBe("wrong_credential")
  expect(await bench.get("requests.approve", args, { session, proof })).toEqual({ served: 1, isLate: false })
  const gone = await bench.ask("requests.approve", args, { session, proof })
  expect(gone).toMatchObject({ code: "refused", message: expect.stringContaining("no request that waits") })
})

it("taking a denial back takes a proof, taking a grant back does not", async () => {
  const session = alice.keys
  await bench.get("apps.grant", { id: app.id, perms: "sign_event:1", deny: true }, { session })
  await bench.get("apps.grant", { id: app.id, perms: "sign_event:7" }, { session })
  expect(await bench.codeOf("apps.ungrant", { id: app.id, what: "sign_event:7" }, { session })).toBe("ok")
  const args = { id: app.id, what: "sign_event:1" }
  expect(await bench.codeOf("apps.ungrant", args, { session })).toBe("proof_needed")
  const proof = await bench.prove(passkey, "apps.ungrant", args, session)
  expect(await bench.codeOf("apps.ungrant", args, { session, proof })).toBe("ok")
})

it("is not what one has who has just come, but with a recovery code", async () => {
  const { keys: session } = alice
  const options = await bench.get("owner.passkeyOptions", {}, { session })
  const args = { response: new Authenticator().create(options, { origin: ORIGIN }), label: "mine" }
  expect(await bench.codeOf("owner.addPasskey", args, { session })).toBe("proof_needed")
  const again = (await bench.signIn(passkey)) as unknown as { result: Joined }
  expect(await bench.codeOf("owner.addPasskey", args, { session: again.result.keys })).toBe("proof_needed")
})

it("a session that was ended while its proof was looked at does nothing any more", async () => {
  const session = alice.keys
  const proof = await bench.prove(passkey, "apps.preset", full(), session)
  const before = await permsOf()
  const calling = bench.codeOf("apps.preset", full(), { session, proof })
  const { hash } = (await bench.record.sessionsOf((await bench.record.owner("alice"))?.id ?? ""))[0] as { hash: string }
  await bench.record.endSession(hash)
  expect(await calling).toBe("not_signed_in")
  expect(await permsOf()).toEqual(before)
})
