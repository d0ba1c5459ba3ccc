import { hash, verify } from "@node-rs/argon2"
import { UserError } from "../../config/user-error.js"
import type { Owner, OwnerPassword } from "../record/owners-record.js"
import type { Attempts } from "./attempts.js"
import { totpStep } from "./authenticator-app.js"
import { Line } from "./line.js"
import type { AccountPorts } from "./ports.js"
import { WebRefusal, wrongPassword } from "./refusal.js"

/** Argon2id is what it does unless told. RFC 9106 §4, the second choice: 64 MiB, three passes; one lane is enough here. */
const COST = { memoryCost: 65_536, timeCost: 3, parallelism: 1 }
const MIN_CHARACTERS = 12
const MAX_CHARACTERS = 256
/** A hash takes a tenth of a second or more: whoever stands further back would not wait. */
const PLACES = 8

export interface PasswordAttempt {
  readonly password: string
  readonly code: string
}

export interface PasswordsOptions extends AccountPorts {
  /** By owner's id. */
  readonly attempts: Attempts
  /** By names that nobody has: what a stranger sees of those is the same. */
  readonly strangers: Attempts
}

/** Passwords with the codes that go with them. One hash at a time: each takes 64 MiB. */
export class Passwords {
  readonly #ports: PasswordsOptions
  readonly #line = new Line(PLACES)
  /** Of nobody: what a name that is not known is held against. */
  #nobodys: string | undefined

  constructor(ports: PasswordsOptions) {
    this.#ports = ports
  }

  /** The password as it is kept, with a time step that is used up. @throws UserError; `too_many` */
  async seal(
    { id, name }: Pick<Owner, "id" | "name">,
    { password, code }: PasswordAttempt,
    secret: Uint8Array,
  ): Promise<OwnerPassword> {
    const { vault, now } = this.#ports
    const flaw = flawOf(password, name)
    if (flaw !== undefined) throw new UserError(flaw)
    const step = totpStep(secret, code, now())
    if (step === undefined) {
      throw new UserError(
        "that is not the code that the authenticator app shows now; scan the picture again if it lasts",
      )
    }
    const sealed = await this.#inLine(() => this.#hash(password))
    return { hash: sealed, totp: vault.sealTotp(id, secret), lastStep: step }
  }

  /**
   * Holds a password and its code against those of an owner, both or nothing, and has the code spent.
   *
   * @param typed the name, as owners are looked up by it: where there is no such owner, failures are counted for that
   * @param spend takes the time step; false: it was taken before
   * @throws `wrong_credential`, one sentence for all; `too_many`
   */
  async check<T>(
    owner: Owner | undefined,
    typed: string,
    attempt: PasswordAttempt,
    spend: (owner: Owner, step: number) => Promise<T | false>,
  ): Promise<T> {
    const { attempts, strangers } = this.#ports
    const [of, whose] = owner === undefined ? [strangers, typed.normalize("NFKC").toLowerCase()] : [attempts, owner.id]
    // In its turn: what failed while it waited counts.
    return this.#inLine(async () => {
      const pause = of.pauseOf(whose)
      if (pause > 0) throw paused(pause)
      const step = await this.#stepOf(owner, attempt)
      const spent = owner !== undefined && step !== undefined && (await spend(owner, step))
      if (spent === false) {
        await this.#failed(of.failed(whose), owner)
        throw wrongPassword()
      }
      of.succeeded(whose)
      return spent
    })
  }

  /** Undefined unless the password is right and the code is one of now. An owner that is not there costs the same. */
  async #stepOf(owner: Owner | undefined, { password, code }: PasswordAttempt): Promise<number | undefined> {
    const { vault, record, now } = this.#ports
    const nobodys = await this.#hashOfNobody()
    // Another may have been set while this one waited.
    const kept = owner && (await record.owner(owner.id))?.password
    const isRight = await vault.lendPepper((secret) => verify(kept?.hash ?? nobodys, nfkc(password), { secret }))
    if (!isRight || owner === undefined || kept === undefined) return undefined
    const secret = vault.openTotp(owner.id, kept.totp)
    try {
      return totpStep(secret, code, now())
    } finally {
      secret.fill(0)
    }
  }

  /** Made once. One that could not be made, as for want of memory, is tried again: it must not shut everybody out. */
  async #hashOfNobody(): Promise<string> {
    this.#nobodys ??= await this.#hash(Buffer.from(this.#ports.crypto.randomBytes(32)).toString("base64url"))
    return this.#nobodys
  }

  async #failed({ count, pause }: { count: number; pause: number }, owner: Owner | undefined): Promise<void> {
    const { log, record, now } = this.#ports
    if (pause === 0) return log.debug({ failures: count }, "a password was wrong")
    log.warn({ failures: count, seconds: pause }, "passwords were wrong; no more are tried for a while")
    if (owner === undefined) return
    await record.note({
      at: now(),
      actor: "browser",
      connectionId: undefined,
      action: "owner.sign_in",
      param: owner.name,
      verdict: "deny",
      why: `${count} wrong passwords or codes since the last that was right; none is tried for ${pause} s`,
      eventId: undefined,
    })
  }

  #hash(password: string): Promise<string> {
    return this.#ports.vault.lendPepper((secret) => hash(nfkc(password), { ...COST, secret }))
  }

  #inLine<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#line.run(work)
    if (turn === undefined) throw new WebRefusal("too_many", "too many passwords at once; try again in a moment")
    return turn
  }
}

/** What is wrong with a password that somebody chose. */
function flawOf(password: string, name: string): string | undefined {
  const characters = Array.from(nfkc(password)).length
  if (characters < MIN_CHARACTERS) return `a password has at least ${MIN_CHARACTERS} characters`
  if (characters > MAX_CHARACTERS) return `a password has at most ${MAX_CHARACTERS} characters`
  if (nfkc(password).toLowerCase() === name.toLowerCase()) return "a password is something else than the name"
  return undefined
}

function nfkc(password: string): string {
  return password.normalize("NFKC")
}

function paused(seconds: number): WebRefusal {
  const when = seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`
  return new WebRefusal(
    "too_many",
    `too many wrong passwords; try again in ${when}, or sign in with a passkey or a recovery code`,
  )
}
