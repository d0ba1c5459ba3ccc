import type { Event, EventTemplate } from "nostr-tools/pure"
import type { Cell } from "./cells.js"
import type { Flow } from "./flow.js"
import type { RelayUnderTest } from "./relay.js"

/** A NIP-46 client. */
export interface ClientPeer {
  /** The class, as its users know it. */
  readonly name: string
  /** None for ours: it is the one that this page comes with. */
  readonly version?: string
  /** Connects with a bunker:// token; rejects, and leaves nothing open, when the bunker does not take it. */
  connect(token: string, secretKey: Uint8Array, onAuthUrl?: OnAuthUrl): Promise<ClientSession>
  /** Shows a nostrconnect:// token and listens for its answer; rejects, and leaves nothing open, when none comes. */
  pair(meeting: Meeting): Promise<Paired>
  /** The cells that are no plain yes. Each is checked: a newer version may have learned it. */
  readonly limits: Partial<Readonly<Record<Cell, Limit>>>
}

/** A page that the remote-signer wants the user to open. */
export type OnAuthUrl = (url: string) => void

export interface Meeting {
  readonly relay: string
  /** Comma-separated, as NIP-46 has them. */
  readonly perms: string
  /** After how long no answer will come. */
  readonly deadlineMs: number
  /** Takes the token to the bunker, as a person does who has scanned it. */
  readonly letIn: (uri: string) => Promise<void>
  readonly onAuthUrl?: OnAuthUrl
}

export interface Paired {
  readonly session: ClientSession
  /** The client's: some make it themselves. */
  readonly secretKey: Uint8Array
}

/** Where a limit may hold. */
export interface Place {
  readonly flow: Flow
  readonly relay: RelayUnderTest
}

/** It holds everywhere, unless it says `where`; elsewhere the cell is a plain yes. */
export type Limit = { readonly where?: (place: Place) => boolean } & (
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
)

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
