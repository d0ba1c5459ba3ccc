import type { InvitationInfo } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"
import { ownerAudit } from "../owner/owner-audit.js"
import type { Invitation } from "../record/owners-record.js"
import type { Accounts } from "./accounts.js"
import type { AccountPorts } from "./ports.js"
import { wrongInvitation } from "./refusal.js"

const TTL = 600
const SECRET_BYTES = 16
const SECRET = /^[\w-]{22}$/

/** A link that makes whoever opens it an owner, once. @throws UserError when there is no page to open */
export async function invite(
  { pages, actor }: { readonly pages: readonly string[]; readonly actor: string },
  { record, vault, crypto, now }: Pick<AccountPorts, "record" | "vault" | "crypto" | "now">,
): Promise<InvitationInfo> {
  const [page] = pages
  if (page === undefined) throw new UserError("the bunker's network side is not up; try again in a moment")
  const secret = Buffer.from(crypto.randomBytes(SECRET_BYTES)).toString("base64url")
  const createdAt = now()
  const expiresAt = createdAt + TTL
  const audit = ownerAudit("owner.invite", "invited somebody to be an owner", { actor, now: () => createdAt }, {})
  await record.addInvitation({ hash: vault.ownerHash("invitation", secret), createdAt, expiresAt }, audit)
  return { url: `${page}/join#${secret}`, expiresAt }
}

/** @throws `wrong_credential` when it was used or is over, or never was; `too_many` of such */
export async function invitationOf(
  secret: string,
  { record, vault, now, wrongGuess }: Pick<Accounts, "record" | "vault" | "now" | "wrongGuess">,
): Promise<Invitation> {
  const found = SECRET.test(secret) ? await record.invitation(vault.ownerHash("invitation", secret)) : undefined
  if (found === undefined || found.expiresAt <= now()) throw wrongGuess(wrongInvitation())
  return found
}
