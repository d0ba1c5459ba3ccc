import type { AccountCalls, OwnerDetail } from "../../channel/web-calls.js"
import { UserError } from "../../config/user-error.js"
import { type Accounts, type Answers, accountAudit, type OwnerVisitor } from "./accounts.js"
import { totpSecret, totpSetup } from "./authenticator-app.js"
import { checkLabel } from "./names.js"
import { creationOptions, verifyNewPasskey } from "./passkeys.js"
import { newRecoveryCodes } from "./recovery-codes.js"
import { wrongPasskey } from "./refusal.js"
import type { SignedIn } from "./sessions.js"

type OwnCall = Extract<keyof AccountCalls, "session.show" | "session.end" | `sessions.${string}` | `owner.${string}`>

/** Calls of an owner about their own account. */
export const OWN_CALLS: Answers<OwnCall, OwnerVisitor> = {
  "session.show": async (_, { who: { owner, session } }) => ({ owner: owner.name, expiresAt: session.expiresAt }),

  "session.end": async (_, { who }, { record }) => {
    await record.endSession(who.session.hash)
    return {}
  },

  "sessions.endOthers": async (_, { who }, accounts) => ({ ended: await endOthers(who, accounts) }),

  "owner.show": (_, { who }, accounts) => detailOf(who, accounts),

  "owner.passkeyOptions": async (_, { page, who: { owner, session } }, { record, challenges }) => {
    const purpose = { kind: "add-passkey", session: session.hash } as const
    return creationOptions(owner, await record.passkeysOf(owner.id), { challenges, page, purpose })
  },

  "owner.addPasskey": async ({ response, ...args }, { page, who }, accounts) => {
    const { record, challenges, now } = accounts
    const { owner, session } = who
    const label = checkLabel(args.label)
    const purpose = { kind: "add-passkey", session: session.hash } as const
    const made = await verifyNewPasskey(response, { challenges, page, purpose })
    if (made === undefined) throw wrongPasskey()
    const passkey = { ...made, ownerId: owner.id, label, createdAt: now(), lastUsedAt: undefined }
    const audit = accountAudit(owner, "owner.passkey.added", `added the passkey ${label}`, accounts)
    if (!(await record.addPasskey(passkey, audit))) throw new UserError("this passkey is here already")
    return detailOf(who, accounts)
  },

  "owner.removePasskey": async ({ id }, { who }, accounts) => {
    const { owner } = who
    const audit = accountAudit(owner, "owner.passkey.removed", "took a passkey away", accounts)
    if (!(await accounts.record.removePasskey(owner.id, id, audit))) {
      throw new UserError("this passkey is not here, or you have no other way to sign in; add another first")
    }
    await endOthers(who, accounts)
    return detailOf(who, accounts)
  },

  "owner.totp": async (_, { who }, accounts) => totpSetup(secretFor(who, accounts), who.owner.name),

  "owner.setPassword": async (attempt, { who }, accounts) => {
    const { owner } = who
    const password = await accounts.passwords.seal(owner, attempt, secretFor(who, accounts))
    const audit = accountAudit(owner, "owner.password.set", "set a password with a new authenticator app", accounts)
    if (!(await accounts.record.setPassword(owner.id, password, audit))) {
      throw new UserError("this owner was removed meanwhile")
    }
    await endOthers(who, accounts)
    return detailOf({ ...who, owner: { ...owner, password } }, accounts)
  },

  "owner.recoveryCodes": async (_, { who: { owner } }, accounts) => {
    const { codes, hashes } = newRecoveryCodes(accounts)
    const audit = accountAudit(owner, "owner.codes.made", "made new recovery codes in place of those before", accounts)
    await accounts.record.setCodes(owner.id, hashes, audit)
    return { recoveryCodes: codes }
  },
}

/** Also where a way in is taken away or another password set: whoever came in by the old one is out. */
function endOthers({ owner, session }: SignedIn, accounts: Accounts): Promise<number> {
  const audit = accountAudit(owner, "owner.sessions.ended", "ended all other sessions", accounts)
  return accounts.record.endSessionsOf(owner.id, session.hash, audit)
}

/** Of the authenticator app that is being set up: another for each session, and once a password was set. */
function secretFor({ owner, session }: SignedIn, { key }: Accounts): Uint8Array {
  return totpSecret(key.derive("totp of an owner", session.hash, owner.password?.hash ?? ""))
}

async function detailOf({ owner }: SignedIn, { record, now }: Accounts): Promise<OwnerDetail> {
  const passkeys = await record.passkeysOf(owner.id)
  const sessions = await record.sessionsOf(owner.id)
  return {
    name: owner.name,
    passkeys: passkeys.map(({ id, label, rpId, createdAt, lastUsedAt }) => ({
      id,
      label,
      host: rpId,
      createdAt,
      lastUsedAt,
    })),
    hasPassword: owner.password !== undefined,
    recoveryCodesLeft: await record.codesLeft(owner.id),
    sessions: sessions.filter(({ expiresAt }) => expiresAt > now()).length,
  }
}
