import type { NewSession } from "../../channel/web-calls.js"
import type { CredentialUse, Owner, OwnerSession } from "../record/owners-record.js"
import { type Accounts, type Answers, accountAudit, type Visitor } from "./accounts.js"
import { typedName } from "./names.js"
import { assertionOptions, isHandleOf, verifyAssertion } from "./passkeys.js"
import { recoveryCodeHash } from "./recovery-codes.js"
import { wrongPasskey, wrongRecoveryCode } from "./refusal.js"
import { newSession, sessionInfo } from "./sessions.js"

type SignInCall = "session.passkeyOptions" | "session.passkey" | "session.password" | "session.recover"

const SIGN_IN = { kind: "sign-in" } as const

/** Calls of somebody who says that they are an owner. */
export const SIGN_IN_CALLS: Answers<SignInCall, Visitor> = {
  "session.passkeyOptions": (_, { page }, { challenges }) =>
    assertionOptions(undefined, { challenges, page, purpose: SIGN_IN }),

  "session.passkey": async ({ response }, { page }, accounts) => {
    const { record, challenges } = accounts
    const passkey = await record.passkey(response.id)
    const owner = passkey && (await record.owner(passkey.ownerId))
    if (passkey === undefined || owner?.id !== passkey.ownerId) throw wrongPasskey()
    // Without a name it is the passkey that says whose it is, so what it says must be what we know.
    if (!isHandleOf(response.response.userHandle, owner.id)) throw wrongPasskey()
    const counter = await verifyAssertion(response, passkey, { challenges, page, purpose: SIGN_IN })
    if (counter === undefined) throw wrongPasskey()
    const session = await begin(owner, "passkey", { kind: "passkey", id: passkey.id, counter }, accounts)
    if (session === false) throw wrongPasskey()
    return session
  },

  "session.password": async ({ name: typed, password, code }, _, accounts) => {
    const name = typedName(typed)
    const owner = await byName(name, accounts)
    return accounts.passwords.check(owner, name, { password, code }, (known, step) =>
      begin(known, "password", { kind: "totp", step }, accounts),
    )
  },

  "session.recover": async ({ name, code }, _, accounts) => {
    const owner = await byName(typedName(name), accounts)
    const hash = recoveryCodeHash(code, accounts)
    const isCode = owner !== undefined && hash !== undefined
    const session = isCode && (await begin(owner, "recovery", { kind: "code", hash }, accounts))
    if (session === false) throw accounts.wrongGuess(wrongRecoveryCode())
    return session
  },
}

const HOW = { passkey: "with a passkey", password: "with a password and a code", recovery: "with a recovery code" }

/** False: the credential was used up already. */
async function begin(
  owner: Owner,
  by: Exclude<OwnerSession["by"], "invitation">,
  use: CredentialUse,
  accounts: Accounts,
): Promise<NewSession | false> {
  const { session, keys } = newSession(owner.id, by, accounts)
  const audit = accountAudit(owner, "owner.sign_in", `signed in ${HOW[by]}`, accounts)
  return (await accounts.record.signIn(session, use, audit)) && sessionInfo(owner, session, keys)
}

/** By name alone: what is typed there is no id. */
async function byName(name: string, { record }: Accounts): Promise<Owner | undefined> {
  const owner = await record.owner(name)
  return owner?.id === name ? undefined : owner
}
