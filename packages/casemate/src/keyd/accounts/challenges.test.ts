import { randomBytes } from "node:crypto"
import { beforeEach, expect, it } from "vitest"
import { canonicalJson } from "./canonical-json.js"
import { Challenges, type Purpose } from "./challenges.js"
import { EphemeralKey } from "./ephemeral-key.js"

const page = { origin: "https://bunker.example", rpId: "bunker.example" }
const SIGN_IN: Purpose = { kind: "sign-in" }
let time: number
let challenges: Challenges

const make = (): Challenges =>
  new Challenges({ key: new EphemeralKey((length) => randomBytes(length)), randomBytes, now: () => time })
const issue = (purpose: Purpose = SIGN_IN): string => Buffer.from(challenges.issue(purpose, page)).toString("base64url")

beforeEach(() => {
  time = 1_800_000_000
  challenges = make()
})

it("a challenge is for one purpose, with all that belongs to it", () => {
  const proof = { kind: "proof", session: "a", call: "apps.preset", args: { id: "c0", preset: "full" } } as const
  const purposes: readonly Purpose[] = [
    SIGN_IN,
    { kind: "join", invitation: "a", name: "b" },
    { kind: "join", invitation: "a", name: "c" },
    { kind: "join", invitation: "ab", name: "" },
    { kind: "add-passkey", session: "a" },
    { kind: "add-passkey", session: "b" },
    proof,
    { ...proof, session: "b" },
    { ...proof, call: "apps.grant" },
    { ...proof, args: { id: "c0", preset: "ask" } },
    { ...proof, args: { id: "c0" } },
    { ...proof, args: [proof.args] },
    { ...proof, args: canonicalJson(proof.args) },
  ]
  for (const [n, purpose] of purposes.entries()) {
    const challenge = issue(purpose)
    expect(purposes.map((other) => challenges.isFor(challenge, other, page))).toEqual(purposes.map((_, m) => m === n))
  }
  const sorted = { ...proof, args: { preset: "full", id: "c0" } }
  expect(challenges.isFor(issue(proof), sorted, page)).toBe(true)
})

it("each is another, and no bit of it can be changed", () => {
  const challenge = issue()
  expect(issue()).not.toBe(challenge)
  const bytes = Buffer.from(challenge, "base64url")
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes)
    changed.writeUInt8((changed[bit >> 3] ?? 0) ^ (1 << (bit & 7)), bit >> 3)
    expect(challenges.isFor(changed.toString("base64url"), SIGN_IN, page)).toBe(false)
  }
  for (const other of ["", "A", `${challenge}A`, challenge.slice(0, -4), `${challenge}=`, `${challenge}\n`, "\u0000"])
    expect(challenges.isFor(other, SIGN_IN, page)).toBe(false)
  expect(make().isFor(challenge, SIGN_IN, page)).toBe(false)
  expect(challenges.isFor(challenge, SIGN_IN, { ...page, origin: "http://localhost" })).toBe(false)
  expect(challenges.isFor(challenge, SIGN_IN, page)).toBe(true)
})

it("it is used once, and can be for five minutes, two for a proof", () => {
  const challenge = issue()
  expect([challenges.use(challenge), challenges.use(challenge)]).toEqual([true, false])
  expect(challenges.isFor(challenge, SIGN_IN, page)).toBe(false)
  const proof: Purpose = { kind: "proof", session: "", call: "", args: {} }
  const [slow, quick] = [issue(), issue(proof)]
  time += 119
  expect(challenges.isFor(quick, proof, page)).toBe(true)
  time += 1
  expect(challenges.isFor(quick, proof, page)).toBe(false)
  expect(challenges.use(quick)).toBe(false)
  time += 179
  expect(challenges.isFor(slow, SIGN_IN, page)).toBe(true)
  time += 1
  expect(challenges.isFor(slow, SIGN_IN, page)).toBe(false)
})

it("one that was used stays so until it is over, however many come after", () => {
  const challenge = issue()
  challenges.use(challenge)
  let used = 1
  for (let n = 0; n < 10_100; n += 1) if (challenges.use(issue())) used += 1
  expect(used).toBe(10_000)
  expect(challenges.isFor(challenge, SIGN_IN, page)).toBe(false)
  time += 300
  expect(challenges.use(issue())).toBe(true)
})
