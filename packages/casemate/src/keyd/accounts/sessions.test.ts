import { afterEach, beforeEach, expect, it } from "vitest"
import { AccountBench, type Joined } from "../../../test/support/account-bench.js"
import { Authenticator } from "../../../test/support/authenticator.js"

let bench: AccountBench
let passkey: Authenticator
let alice: Joined
beforeEach(async () => {
  bench = new AccountBench()
  passkey = new Authenticator()
  alice = await bench.joinWithPasskey("alice", passkey)
})
afterEach(() => bench.close())

const show = (session: Joined["keys"] | string) => bench.codeOf("session.show", {}, { session })

async function signIn(): Promise<Joined["keys"]> {
  const response = await bench.signIn(passkey)
  expect(response.ok).toBe(true)
  return (response as { result: Joined }).result.keys
}

it("a session lasts 12 hours, whatever happens in it", async () => {
  bench.time += 43_199
  expect(await show(alice.keys)).toBe("ok")
  bench.time += 1
  expect(await show(alice.keys)).toBe("not_signed_in")
})

it("takes both its keys, of one session, in their order", async () => {
  const other = await signIn()
  const { cookie, token } = alice.keys
  expect(await show(`${cookie}.${token}`)).toBe("ok")
  const wrong = [
    `${token}.${cookie}`,
    `${cookie}.${other.token}`,
    `${other.cookie}.${token}`,
    cookie,
    `${cookie}.`,
    `.${token}`,
    `${cookie}.${token}.`,
    `${cookie}${token}`,
    `${cookie}.${token.slice(0, -1)}`,
    "",
    ".",
  ]
  for (const keys of wrong) expect(await show(keys), keys.slice(0, 4)).toBe("not_signed_in")
})

it("ends when its owner ends it, and all the others when the owner says so", async () => {
  const [here, there] = [await signIn(), await signIn()]
  expect(await bench.get("sessions.endOthers", {}, { session: here })).toEqual({ ended: 2 })
  expect([await show(alice.keys), await show(there), await show(here)]).toEqual([
    "not_signed_in",
    "not_signed_in",
    "ok",
  ])
  expect(await bench.get("session.end", {}, { session: here })).toEqual({})
  expect(await show(here)).toBe("not_signed_in")
})

it("of one owner the newest twenty stay", async () => {
  const sessions = []
  for (let n = 0; n < 20; n += 1) sessions.push(await signIn())
  expect(await show(alice.keys)).toBe("not_signed_in")
  expect(await show(sessions[0] as Joined["keys"])).toBe("ok")
  expect(await bench.get("owner.show", {}, { session: sessions[0] })).toMatchObject({ sessions: 20 })
})

it("goes on through a restart, for it lies in the record as a hash", async () => {
  bench.restart()
  expect(await show(alice.keys)).toBe("ok")
  expect(bench.dump()).not.toContain(alice.keys.cookie)
  expect(bench.dump()).not.toContain(alice.keys.token)
})

it("keeps the last way to sign in", async () => {
  const args = { id: passkey.credentialId }
  const proof = await bench.prove(passkey, "owner.removePasskey", args, alice.keys)
  expect(await bench.ask("owner.removePasskey", args, { session: alice.keys, proof })).toMatchObject({
    code: "refused",
    message: expect.stringContaining("no other way to sign in"),
  })
})
