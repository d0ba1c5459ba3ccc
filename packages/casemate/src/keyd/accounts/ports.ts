import type { Logger } from "../../config/log.js"
import type { OwnersRecord } from "../record/owners-record.js"
import type { Record as KeydRecord } from "../record/record.js"
import type { Vault } from "../vault/vault.js"

/** What knowing owners takes. */
export interface AccountPorts {
  readonly record: OwnersRecord & Pick<KeydRecord, "note">
  readonly vault: Pick<Vault, "ownerHash" | "sealTotp" | "openTotp" | "lendPepper">
  readonly crypto: { randomBytes(length: number): Uint8Array }
  /** Unix seconds. */
  readonly now: () => number
  readonly log: Logger
}
