import fc from "fast-check"

/** What a record holds of an owner, as simply as can be. */
export interface Known {
  hasPassword: boolean
  step: number
  codes: string[]
  sessions: number
  readonly passkeys: Map<string, number>
}

const OPERATIONS = [
  "invite",
  "join",
  "removeOwner",
  "addPasskey",
  "removePasskey",
  "setPassword",
  "setCodes",
  "endSessions",
  "usePasskey",
  "useTotp",
  "useCode",
  "signInPasskey",
  "signInTotp",
  "signInCode",
] as const

export interface Step {
  readonly operation: (typeof OPERATIONS)[number]
  /** Of the owner who does it. */
  readonly id: string
  /** Of an invitation, a passkey or a code. */
  readonly thing: string
  /** A counter or a time step. */
  readonly count: number
  readonly hasPassword: boolean
}

const step = (id: fc.Arbitrary<number>, operation: fc.Arbitrary<Step["operation"]>): fc.Arbitrary<Step> =>
  fc.record({
    operation,
    id: id.map((n) => `owner${n}`),
    thing: fc.nat({ max: 2 }).map((n) => `thing${n}`),
    count: fc.nat({ max: 5 }),
    hasPassword: fc.boolean(),
  })
const joining: readonly Step[] = [0, 1].flatMap((n) => {
  const who = { id: `owner${n}`, thing: `thing${n}`, count: 0, hasPassword: n === 0 }
  return [
    { ...who, operation: "invite" },
    { ...who, operation: "join" },
  ]
})

/** Two join, and then anything; mostly by the first, so that much of it is something that they may do. */
export const steps: fc.Arbitrary<readonly Step[]> = fc
  .array(step(fc.constantFrom(0, 0, 0, 1, 2), fc.constantFrom(...OPERATIONS)), { minLength: 15, maxLength: 30 })
  .map((sequence) => [...joining, ...sequence])

/** Says whether a step may be done, and does it to what is known. */
export class OwnersModel {
  readonly owners = new Map<string, Known>()
  readonly #invited = new Set<string>()

  apply({ operation, id, thing, count, hasPassword }: Step): boolean {
    const known = this.owners.get(id)
    if (operation === "invite") return add(this.#invited, thing)
    if (operation === "join") {
      if (known !== undefined || this.#holderOf(thing) !== undefined || !this.#invited.delete(thing)) return false
      const passkeys = new Map([[thing, 0]])
      this.owners.set(id, { hasPassword, step: 0, codes: [`${id}/${thing}`], sessions: 1, passkeys })
      return true
    }
    if (known === undefined) return false
    switch (operation) {
      case "removeOwner":
        return this.owners.delete(id)
      case "addPasskey":
        if (this.#holderOf(thing) !== undefined) return false
        known.passkeys.set(thing, count)
        return true
      case "removePasskey":
        return (known.passkeys.size > 1 || known.hasPassword) && known.passkeys.delete(thing)
      case "setPassword":
        known.hasPassword = true
        known.step = count
        return true
      case "setCodes":
        known.codes = [`${id}/${thing}`]
        return true
      case "endSessions":
        if (known.sessions === 0) return false
        known.sessions = 0
        return true
      default:
        if (!this.#useUp(known, { operation, id, thing, count, hasPassword })) return false
        if (operation.startsWith("signIn")) known.sessions++
        return true
    }
  }

  #useUp(known: Known, { operation, id, thing, count }: Step): boolean {
    if (operation.endsWith("Totp")) {
      if (!known.hasPassword || count <= known.step) return false
      known.step = count
      return true
    }
    if (operation.endsWith("Code")) {
      const isThere = known.codes.includes(`${id}/${thing}`)
      known.codes = known.codes.filter((code) => code !== `${id}/${thing}`)
      return isThere
    }
    const counter = known.passkeys.get(thing)
    if (counter === undefined || (count <= counter && (count > 0 || counter > 0))) return false
    known.passkeys.set(thing, count)
    return true
  }

  #holderOf(passkeyId: string): Known | undefined {
    return [...this.owners.values()].find(({ passkeys }) => passkeys.has(passkeyId))
  }
}

function add<T>(set: Set<T>, value: T): boolean {
  return set.size < set.add(value).size
}
