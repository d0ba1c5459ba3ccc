import type { AuditEntry } from "@casemate/nip46/signer"
import type { OwnerPorts } from "./ports.js"

/** The row of what an owner did. */
export function ownerAudit(
  action: string,
  why: string,
  { actor, now }: Pick<OwnerPorts, "actor" | "now">,
  { connectionId, param }: { readonly connectionId?: string; readonly param?: string },
): AuditEntry {
  return { at: now(), actor, connectionId, action, param, verdict: "allow", why, eventId: undefined }
}
