import type { AuditEntry } from "@casemate/nip46/signer"

/** The row of what an owner did. */
export function ownerAudit(
  action: string,
  why: string,
  at: number,
  { connectionId, param }: { readonly connectionId?: string; readonly param?: string },
): AuditEntry {
  return { at, actor: "owner", connectionId, action, param, verdict: "allow", why, eventId: undefined }
}
