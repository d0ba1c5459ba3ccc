import { afterEach, beforeEach, expect, it } from "vitest"
import { AccountBench, type Joined, ORIGIN } from "../../../test/support/account-bench.js"
import { Authenticator } from "../../../test/support/authenticator.js"
import type { Vault } from "../vault/vault.js"
import { recoveryCodeHash } from "./recovery-codes.js"

let bench: AccountBench
let alice: Joined
beforeEach(async () => {
  bench = new AccountBench()
  alice = await bench.joinWithPasskey("alice")
})
afterEach(() => bench.close())

const recover = (code: string, name = "alice") => bench.codeOf("session.recover", { name, code })

it("ten recovery codes of 80 bits are shown once, in groups that can be read aloud", () => {
  expect(alice.recoveryCodes).toHaveLength(10)
  expect(new Set(alice.recoveryCodes).size).toBe(10)
  for (const code of alice.recoveryCodes) expect(code).toMatch(/^(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/)
})

it("what looks alike is read alike, and what is no code is none", () => {
  const read = (typed: string) =>
    recoveryCodeHash(typed, { vault: { ownerHash: (_: string, text: string) => text } as unknown as Vault })
  expect(read("0o1i-L7ab-cdef-gh89")).toBe("001117ABCDEFGH89")
  for (const wrong of ["", "0011", "u".repeat(16), "0".repeat(17), "0011-17AB-CDEF-GH8!"])
    expect(read(wrong)).toBe(undefined)
})

it("each signs in once, however it is written", async () => {
  const [first = "", second = "", third = "", fourth = ""] = alice.recoveryCodes
  expect(await recover(first)).toBe("ok")
  expect(await recover(first)).toBe("wrong_credential")
  expect(await recover(` ${second.toLowerCase().replaceAll("-", " ")} `, "ALICE")).toBe("ok")
  expect(await recover(third.replaceAll("-", "–").replaceAll("0", "o").replaceAll("1", "l"))).toBe("ok")
  expect(await recover(fourth.replaceAll("-", "").replaceAll("0", "O").replaceAll("1", "I"))).toBe("ok")
  expect(await bench.get("owner.show", {}, { session: alice.keys })).toMatchObject({ recoveryCodesLeft: 6 })
})

it("is one owner's, and twenty who type it at once are one who comes in", async () => {
  await bench.joinWithPasskey("bob")
  const [code = ""] = alice.recoveryCodes
  expect(await recover(code, "bob")).toBe("wrong_credential")
  expect(await recover(code, "mallory")).toBe("wrong_credential")
  expect(await recover("0000-0000-0000-0000")).toBe("wrong_credential")
  expect(await recover("")).toBe("wrong_credential")
  const codes = await Promise.all(Array.from({ length: 20 }, () => recover(code)))
  expect(codes.filter((result) => result === "ok")).toHaveLength(1)
})

it("lets whoever came with one make a new way in for ten minutes, and nothing else", async () => {
  const [code] = alice.recoveryCodes
  const { keys: session } = await bench.get<Joined>("session.recover", { name: "alice", code })
  const add = async (label: string) => {
    const options = await bench.get("owner.passkeyOptions", {}, { session })
    const response = new Authenticator().create(options, { origin: ORIGIN })
    return bench.codeOf("owner.addPasskey", { response, label }, { session })
  }
  expect(await bench.codeOf("owner.recoveryCodes", {}, { session })).toBe("proof_needed")
  expect(await bench.codeOf("owner.removePasskey", { id: "AAAA" }, { session })).toBe("proof_needed")
  expect(await add("new")).toBe("ok")
  const setup = await bench.get<{ secret: string }>("owner.totp", {}, { session })
  const password = { password: "correct horse battery staple", code: bench.codeFor(setup.secret) }
  expect(await bench.codeOf("owner.setPassword", password, { session })).toBe("ok")
  bench.time += 601
  expect(await add("late")).toBe("proof_needed")
})

it("goes when new ones are made", async () => {
  const passkey = new Authenticator()
  const bob = await bench.joinWithPasskey("bob", passkey)
  const proof = await bench.prove(passkey, "owner.recoveryCodes", {}, bob.keys)
  const { recoveryCodes } = await bench.get<Joined>("owner.recoveryCodes", {}, { session: bob.keys, proof })
  expect(recoveryCodes).toHaveLength(10)
  expect(await recover(bob.recoveryCodes[0] ?? "", "bob")).toBe("wrong_credential")
  expect(await recover(recoveryCodes[0] ?? "", "bob")).toBe("ok")
})

it("cannot be tried without end, and nobody's tries keep out whoever has one, or an invitation", async () => {
  const [code = ""] = alice.recoveryCodes
  const secret = await bench.invite()
  const codes = []
  for (let n = 0; n < 60; n += 1) codes.push(await recover("0000-0000-0000-0000"))
  expect(codes.filter((result) => result === "too_many").length).toBeGreaterThan(0)
  expect(await bench.codeOf("invitation.show", { secret: "A".repeat(22) })).toBe("too_many")
  expect(await recover(code)).toBe("ok")
  expect(await bench.codeOf("invitation.totp", { secret, name: "bob" })).toBe("ok")
  bench.time += 1
  expect(await recover(code)).toBe("wrong_credential")
})
