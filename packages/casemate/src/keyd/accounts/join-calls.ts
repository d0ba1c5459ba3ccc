import type { NewOwner } from "../../channel/web-calls.js"
import { UserError } from "../../config/user-error.js"
import type { Invitation, Owner, OwnerPasskey } from "../record/owners-record.js"
import { type Accounts, type Answers, accountAudit, type Visitor } from "./accounts.js"
import { totpSecret, totpSetup } from "./authenticator-app.js"
import { invitationOf } from "./invitations.js"
import { checkName } from "./names.js"
import { creationOptions, verifyNewPasskey } from "./passkeys.js"
import { newRecoveryCodes } from "./recovery-codes.js"
import { wrongInvitation, wrongPasskey } from "./refusal.js"
import { newSession, sessionInfo } from "./sessions.js"

type JoinCall =
  | "invitation.show"
  | "invitation.passkeyOptions"
  | "invitation.passkey"
  | "invitation.totp"
  | "invitation.password"

/** Calls of somebody who was invited: each shows the invitation's secret, and the last uses it up. */
export const JOIN_CALLS: Answers<JoinCall, Visitor> = {
  "invitation.show": async ({ secret }, _, accounts) => {
    const { expiresAt } = await invitationOf(secret, accounts)
    return { expiresAt }
  },

  "invitation.passkeyOptions": async (args, { page }, accounts) => {
    const { invitation, id, name } = await newcomer(args, accounts)
    const purpose = { kind: "join", invitation: invitation.hash, name } as const
    return creationOptions({ id, name }, [], { challenges: accounts.challenges, page, purpose })
  },

  "invitation.passkey": async ({ response, ...args }, { page }, accounts) => {
    const { invitation, id, name } = await newcomer(args, accounts)
    const { challenges, now } = accounts
    const purpose = { kind: "join", invitation: invitation.hash, name } as const
    const made = await verifyNewPasskey(response, { challenges, page, purpose })
    if (made === undefined) throw wrongPasskey()
    const createdAt = now()
    const passkey = { ...made, ownerId: id, label: "first passkey", createdAt, lastUsedAt: undefined }
    return join(invitation, { id, name, createdAt, password: undefined }, passkey, accounts)
  },

  "invitation.totp": async (args, _, accounts) => {
    const { invitation, name } = await newcomer(args, accounts)
    return totpSetup(secretFor(invitation, accounts), name)
  },

  "invitation.password": async ({ password, code, ...args }, _, accounts) => {
    const { invitation, id, name } = await newcomer(args, accounts)
    const sealed = await accounts.passwords.seal({ id, name }, { password, code }, secretFor(invitation, accounts))
    return join(invitation, { id, name, createdAt: accounts.now(), password: sealed }, undefined, accounts)
  },
}

/** Who joins by an invitation; always the same for one, which makes an owner once. @throws `wrong_credential`; UserError */
async function newcomer(
  args: { secret: string; name: string },
  accounts: Accounts,
): Promise<{ invitation: Invitation; id: string; name: string }> {
  const invitation = await invitationOf(args.secret, accounts)
  const name = checkName(args.name)
  if ((await accounts.record.owner(name)) !== undefined) throw nameTaken()
  const id = Buffer.from(accounts.key.derive("owner id", invitation.hash)).toString("hex").slice(0, 32)
  return { invitation, id, name }
}

function secretFor({ hash }: Invitation, { key }: Accounts): Uint8Array {
  return totpSecret(key.derive("totp of an invitation", hash))
}

async function join(
  { hash: invitation }: Invitation,
  owner: Owner,
  passkey: OwnerPasskey | undefined,
  accounts: Accounts,
): Promise<NewOwner> {
  const { codes, hashes } = newRecoveryCodes(accounts)
  const { session, keys } = newSession(owner.id, "invitation", accounts)
  const how = passkey === undefined ? "a password and a code" : "a passkey"
  const audit = accountAudit(owner, "owner.join", `joined by an invitation, with ${how}`, accounts)
  const result = await accounts.record.join({ invitation, owner, passkey, codes: hashes, session }, audit)
  switch (result.kind) {
    case "joined":
      return { ...sessionInfo(owner, session, keys), recoveryCodes: codes }
    case "spent":
      throw wrongInvitation()
    case "taken":
      throw result.by === "name" ? nameTaken() : new UserError("this passkey is an owner's already; make another")
  }
}

function nameTaken(): UserError {
  return new UserError("another owner has this name; choose another")
}
