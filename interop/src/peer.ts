import type { Event, EventTemplate } from "nostr-tools/pure"
import type { Cell } from "./cells.js"

/** Somebody else's NIP-46 client. */
export interface ClientPeer {
  /** The class, as its users know it. */
  readonly name: string
  readonly version: string
  /** Connects with a bunker:// token; rejects, and leaves nothing open, when the bunker does not take it. */
  connect(token: string, secretKey: Uint8Array): Promise<ClientSession>
  /** The cells that are no plain yes. Each is checked: a newer version may have learned it. */
  readonly limits: Partial<Readonly<Record<Cell, Limit>>>
}

export type Limit =
  | {
      /** It has no call of its own, and the request goes in its envelope all the same. */
      readonly kind: "by hand"
      readonly why: string
      isStillSo(signer: object): boolean
    }
  | {
      /** It does not subscribe again, so that no answer comes; a new session of the same client gets it. */
      readonly kind: "in a new session"
      readonly why: string
    }

/** A connected client. */
export interface ClientSession {
  /** The object that the peer gave. */
  readonly signer: object
  /** The remote-signer's key that the client talks to. */
  readonly remoteSigner: string
  getPublicKey(): Promise<string>
  signEvent(template: EventTemplate): Promise<Event>
  nip44Encrypt(pubkey: string, plaintext: string): Promise<string>
  nip44Decrypt(pubkey: string, ciphertext: string): Promise<string>
  nip04Encrypt(pubkey: string, plaintext: string): Promise<string>
  nip04Decrypt(pubkey: string, ciphertext: string): Promise<string>
  ping(): Promise<void>
  /** What `switch_relays` came to, as far as the peer tells. */
  switchRelays(): Promise<unknown>
  /** Any method, whether the peer knows it or not. */
  call(method: string, params: string[]): Promise<string>
  /** Sends `connect` once more, over the same session. */
  connectAgain(): Promise<void>
  logout(): Promise<void>
  close(): Promise<void>
}
