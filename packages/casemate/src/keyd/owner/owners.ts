import type { InvitationInfo, OwnerCalls, OwnerInfo } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"
import { invite } from "../accounts/invitations.js"
import type { Owner } from "../record/owners-record.js"
import { ownerAudit } from "./owner-audit.js"
import type { OwnerPorts } from "./ports.js"

/** Owners as whoever sits at the machine sees them, in the order in which they joined. */
export async function listOwners(ports: OwnerPorts): Promise<OwnerInfo[]> {
  const owners = await ports.record.owners()
  return Promise.all(owners.map((owner) => ownerInfo(owner, ports)))
}

/** @throws UserError when there is no page to open */
export function inviteOwner(ports: OwnerPorts): Promise<InvitationInfo> {
  return invite({ pages: ports.pages(), actor: ports.actor }, ports)
}

export async function removeOwner(
  { name }: OwnerCalls["owners.remove"]["args"],
  ports: OwnerPorts,
): Promise<OwnerInfo> {
  const owner = await ports.record.owner(name)
  if (owner === undefined) throw noSuchOwner()
  const info = await ownerInfo(owner, ports)
  const audit = ownerAudit("owner.removed", `the owner took the owner ${owner.name} away`, ports, {})
  if (!(await ports.record.removeOwner(owner.id, audit))) throw noSuchOwner()
  return info
}

async function ownerInfo({ id, name, createdAt, password }: Owner, { record, now }: OwnerPorts): Promise<OwnerInfo> {
  const sessions = await record.sessionsOf(id)
  return {
    name,
    passkeys: (await record.passkeysOf(id)).length,
    hasPassword: password !== undefined,
    recoveryCodesLeft: await record.codesLeft(id),
    sessions: sessions.filter(({ expiresAt }) => expiresAt > now()).length,
    createdAt,
  }
}

function noSuchOwner(): UserError {
  return new UserError("there is no owner of that name; `casemate owner list` shows those there are")
}
