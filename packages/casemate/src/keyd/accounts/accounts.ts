import { TokenBucket } from "@casemate/nip46/signer"
import type { AccountCalls } from "../../channel/web-calls.js"
import { ownerAudit } from "../owner/owner-audit.js"
import type { Owner } from "../record/owners-record.js"
import { Attempts } from "./attempts.js"
import { Challenges } from "./challenges.js"
import { EphemeralKey } from "./ephemeral-key.js"
import type { OurPage } from "./pages.js"
import { Passwords } from "./passwords.js"
import type { AccountPorts } from "./ports.js"
import { WebRefusal } from "./refusal.js"
import type { SignedIn } from "./sessions.js"
import type { AccountArgs } from "./web-args.js"

/** Owners and names of whom wrong passwords are remembered. */
const REMEMBERED = 1_000
/**
 * Wrong recovery codes and invitations. They have 80 and 128 bits: this is not what keeps them, so that the right one
 * is taken however many others are tried.
 */
const GUESSES = { capacity: 50, perSecond: 20 }

/** What owners' accounts work on, for as long as keyd runs. */
export interface Accounts extends AccountPorts {
  readonly key: EphemeralKey
  readonly challenges: Challenges
  readonly passwords: Passwords
  /** Counts a wrong guess. @returns what is said of it: `refusal`, or `too_many` */
  wrongGuess(refusal: WebRefusal): WebRefusal
}

/** Who makes a call, and where. */
export interface Visitor {
  readonly page: OurPage
}

export interface OwnerVisitor extends Visitor {
  readonly who: SignedIn
}

/** How some of an account's calls are answered. */
export type Answers<C extends keyof AccountCalls, V extends Visitor> = {
  [K in C]: (args: AccountArgs<K>, visitor: V, accounts: Accounts) => Promise<AccountCalls[K]["result"]>
}

export function createAccounts(ports: AccountPorts): Accounts {
  const { crypto, now } = ports
  const randomBytes = (length: number): Uint8Array => crypto.randomBytes(length)
  const key = new EphemeralKey(randomBytes)
  const guesses = new TokenBucket(GUESSES, now() * 1000)
  return {
    ...ports,
    key,
    challenges: new Challenges({ key, randomBytes, now }),
    passwords: new Passwords({
      ...ports,
      attempts: new Attempts(REMEMBERED, now),
      strangers: new Attempts(REMEMBERED, now),
    }),
    wrongGuess(refusal) {
      if (guesses.take(now() * 1000)) return refusal
      return new WebRefusal("too_many", "too many tries at once; try again in a moment")
    },
  }
}

/** As the audit names an owner who is not at the terminal. */
export function actorOf({ name }: Pick<Owner, "name">): string {
  return `owner ${name}`
}

/** The row of what an owner did with their account. */
export function accountAudit(
  owner: Pick<Owner, "name">,
  action: string,
  why: string,
  { now }: Pick<AccountPorts, "now">,
): ReturnType<typeof ownerAudit> {
  return ownerAudit(action, why, { actor: actorOf(owner), now }, {})
}
