import { type Permission, parsePermissions } from "@casemate/nip46/protocol"
import { type Grant, isPresetName, PRESETS, SENSITIVE_KINDS } from "@casemate/nip46/signer"
import type { GrantArgs, OwnerCalls } from "../../channel/owner-calls.js"
import type { WebCall } from "../../channel/web-calls.js"

/** A call that was parsed, and what the record says of what it is about. */
export interface Act {
  readonly call: WebCall
  readonly args: unknown
  /** Of `requests.approve`: what an approval that lasts would cover. */
  readonly scope?: Pick<Grant, "method" | "param" | "conditions"> | undefined
  /** Of `apps.ungrant`: what would be taken back. */
  readonly taken?: readonly Pick<Grant, "effect">[] | undefined
  /** Of `apps.extend` and `apps.resume`: what the app could use longer, or again. */
  readonly regained?: readonly Pick<Grant, "effect" | "method" | "param" | "conditions">[] | undefined
}

/**
 * Whether a call takes more than a session, which somebody may have found open: that the owner is there now. It is so
 * for what lets people in, and for what lets an app do much that cannot be undone.
 */
export function needsProof({ call, args, scope, taken = [], regained = [] }: Act): boolean {
  switch (call) {
    case "owner.addPasskey":
    case "owner.removePasskey":
    case "owner.setPassword":
    case "owner.recoveryCodes":
      return true
    case "apps.preset": {
      const { preset } = args as OwnerCalls["apps.preset"]["args"]
      return isPresetName(preset) && PRESETS[preset].permissions.some((permission) => isSensitive(permission))
    }
    case "apps.grant":
      return grantNeedsProof(args as GrantArgs)
    case "apps.ungrant":
      return taken.some(({ effect }) => effect === "deny")
    case "apps.extend":
    case "apps.resume":
      return regained.some((grant) => grant.effect === "allow" && isSensitive(grant, grant.conditions.counterparties))
    case "requests.approve": {
      const { extent } = args as OwnerCalls["requests.approve"]["args"]
      return extent !== "once" && (scope === undefined || isSensitive(scope, scope.conditions.counterparties))
    }
    default:
      return false
  }
}

function grantNeedsProof({ perms, deny = false, expiresAt, counterparties }: GrantArgs): boolean {
  // A denial that ends takes the place of one that does not.
  if (deny) return expiresAt !== undefined
  return parsePermissions(perms).some((permission) => isSensitive(permission, counterparties))
}

/** What can cost more than a post: see `SENSITIVE_KINDS`, everything at once, and what anybody wrote in private. */
function isSensitive({ method, param }: Permission, counterparties: readonly string[] = []): boolean {
  switch (method) {
    case "sign_event":
      return param === undefined || SENSITIVE_KINDS.has(Number(param))
    case "nip04_decrypt":
    case "nip44_decrypt":
      return param === undefined && counterparties.length === 0
    default:
      return false
  }
}
