import type { CryptoBackend } from "@casemate/nip46/crypto"
import type { SignerEngine } from "@casemate/nip46/signer"
import type { ApprovalStyle } from "../../channel/owner-calls.js"
import type { ConnectResponses } from "../door/connect-responses.js"
import type { GatewayDoor } from "../door/gateway-door.js"
import type { RelayProofs } from "../door/relay-proofs.js"
import type { Record as KeydRecord } from "../record/record.js"
import type { Nip49 } from "../vault/nip49.js"
import type { Vault } from "../vault/vault.js"
import type { ConnectionWaits } from "./connection-waits.js"
import type { Notices } from "./notices.js"
import type { SignedEvents } from "./signed-events.js"

/** What an owner's call works on. */
export interface OwnerPorts {
  readonly engine: SignerEngine
  readonly record: KeydRecord
  readonly vault: Vault
  readonly nip49: Nip49
  readonly crypto: CryptoBackend
  readonly door: GatewayDoor
  readonly proofs: RelayProofs
  readonly responses: ConnectResponses
  readonly waits: ConnectionWaits
  readonly signed: SignedEvents
  /** Undefined where owners are told nothing. */
  readonly notices: Notices | undefined
  /** Of an app for which its owner chose none. */
  readonly defaultStyle: ApprovalStyle
  /** Under which owners reach their pages, the one for elsewhere first; none before the gateway is up. */
  readonly pages: () => readonly string[]
  /** Who asks, as the audit names them. */
  readonly actor: string
  /** Unix seconds. */
  readonly now: () => number
}
