import type { SignerCell } from "./signer-cells.js"

/** Who makes the token: the signer, or the app. */
export type Flow = "bunker" | "nostrconnect"

/** Somebody else's NIP-46 signer, in one of the two flows. */
export interface SignerPeer {
  /** The class, as its users know it. */
  readonly name: string
  readonly version: string
  readonly flow: Flow
  /** Makes a signer with keys of its own, which does not listen yet. */
  open(place: Place): SignerHost
  /** The cells that are no plain yes. Each is checked: a newer version may have learned it. */
  readonly limits: Partial<Readonly<Record<SignerCell, SignerLimit>>>
}

/** Two relays of one kind. */
export interface Place {
  /** Where app and signer meet. */
  readonly url: string
  /** Where the signer listens as well, and can send the app. */
  readonly other: string
  /** They close their WebSockets properly when they end; others hang up. */
  readonly saysGoodbye: boolean
}

export type SignerLimit =
  | {
      /** It has no call of its own; whoever hosts it does it with what it has. */
      readonly kind: "by hand" | "by its host"
      readonly why: string
      isStillSo(signer: object): boolean | Promise<boolean>
    }
  | {
      readonly kind: "cannot"
      readonly why: string
      /** What our client comes to in its place. */
      readonly says: RegExp
    }
  | {
      /**
       * It does not subscribe again. "once started anew": the session goes on when its host starts it again;
       * "in a new session": it has forgotten its client by then, which has to connect again.
       */
      readonly kind: "once started anew" | "in a new session"
      readonly why: string
      /** Where it is so; everywhere unless given. */
      readonly where?: (place: Place) => boolean
    }

/** A program around somebody's signer. It lets apps do everything, but sign notes only. */
export interface SignerHost {
  /** The object that the peer gave. */
  readonly signer: object
  readonly remoteSignerPubkey: string
  readonly userPubkey: string
  /** Listens for whoever has the bunker:// token, and gives it. */
  listen(): Promise<string>
  /** Takes an app's nostrconnect:// token. */
  accept(uri: string): Promise<void>
  /** What it answers to `switch_relays` from now on. */
  offer(relays: readonly string[]): Promise<void>
  /** As when its program is ended and started again, with the same keys. */
  startAnew(): Promise<void>
  close(): Promise<void>
}

/** The one kind that is signed for an app that was let in. */
export const SIGNED_KIND = 1
