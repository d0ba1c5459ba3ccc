import type { NostrEvent } from "@casemate/nip46/protocol"
import type { SignedInfo } from "../../channel/owner-calls.js"
import type { OwnersRecord } from "../record/owners-record.js"
import type { Vault } from "../vault/vault.js"

export interface SignedEventsOptions {
  readonly vault: Pick<Vault, "signedSlot" | "sealSigned" | "openSigned">
  readonly record: Pick<OwnersRecord, "lastSigned" | "setLastSigned">
  readonly onFault: (fault: unknown) => void
}

type Slotted = Pick<NostrEvent, "kind" | "tags" | "pubkey">

/**
 * The last event that was signed of each kind of which relays keep one (NIP-01 §Kinds), so that its owner sees what
 * the next one changes. Sealed: in the record's files nothing says what it holds, or of which kind it is.
 */
export class SignedEvents {
  readonly #options: SignedEventsOptions

  constructor(options: SignedEventsOptions) {
    this.#options = options
  }

  keep(event: NostrEvent): void {
    const slot = this.#slotOf(event)
    if (slot === undefined) return
    const { vault, record, onFault } = this.#options
    const { pubkey: userPubkey, created_at: createdAt, content, tags } = event
    const info: SignedInfo = { content, tags, createdAt }
    const sealed = vault.sealSigned(slot, new TextEncoder().encode(JSON.stringify(info)))
    record.setLastSigned({ slot, userPubkey, createdAt, sealed }).catch(onFault)
  }

  /** What this event would take the place of. Undefined as well when that does not open any more. */
  async last(event: Slotted): Promise<SignedInfo | undefined> {
    const slot = this.#slotOf(event)
    if (slot === undefined) return undefined
    const { vault, record, onFault } = this.#options
    const sealed = await record.lastSigned(slot)
    if (sealed === undefined) return undefined
    try {
      return JSON.parse(new TextDecoder().decode(vault.openSigned(slot, sealed))) as SignedInfo
    } catch (fault) {
      onFault(fault)
      return undefined
    }
  }

  #slotOf({ kind, tags, pubkey }: Slotted): string | undefined {
    if (isReplaceable(kind)) return this.#options.vault.signedSlot(pubkey, kind)
    if (!isAddressable(kind)) return undefined
    const d = tags.find(([name]) => name === "d")?.[1] ?? ""
    return this.#options.vault.signedSlot(pubkey, kind, d)
  }
}

function isReplaceable(kind: number): boolean {
  return kind === 0 || kind === 3 || (kind >= 10_000 && kind < 20_000)
}

function isAddressable(kind: number): boolean {
  return kind >= 30_000 && kind < 40_000
}
