/** A page that the remote-signer wants its user to open (NIP-46 §Auth Challenges). */
export interface AuthChallenge {
  /** https, or http on this computer. Open it in a new tab, with `noopener`, after showing `host`. */
  readonly url: string
  readonly host: string
  /** False while pairing: anybody who saw the nostrconnect:// token may have sent it. Say so. */
  readonly verified: boolean
  /** The method that waits for it; none while pairing. */
  readonly method: string | undefined
}

/** How far a request has come, for an app to show. What follows is its result. */
export type RequestStatus =
  /** Handed to the relays. */
  | { readonly kind: "sent"; readonly method: string }
  /** A relay took it; now it is up to the signer, and perhaps to a person. */
  | { readonly kind: "accepted"; readonly method: string; readonly relay: string }
  /** The signer wants its user to approve it on a page. */
  | { readonly kind: "approval"; readonly method: string }

/** What an app may want to log. Nothing of it ends a request. */
export type Warning =
  /** The signer's clock is this many seconds ahead of ours (behind, when negative). */
  | { readonly kind: "clock"; readonly of: "signer"; readonly seconds: number }
  /** A relay refuses events of this moment: its clock or ours is wrong. */
  | { readonly kind: "clock"; readonly of: "relay"; readonly relay: string; readonly reason: string }
  /** An auth challenge whose URL no app should open. */
  | { readonly kind: "auth_url"; readonly reason: string }
  /** The signer named relays that could not be reached; the old ones stay. */
  | { readonly kind: "switch_relays"; readonly relays: readonly string[] }
  /** A callback of the app threw. */
  | { readonly kind: "callback"; readonly error: unknown }

export interface Callbacks {
  /** A page to open. Without it a request that needs approval on a page can only time out. */
  readonly onAuthUrl?: (challenge: AuthChallenge) => void
  readonly onStatus?: (status: RequestStatus) => void
  readonly onWarning?: (warning: Warning) => void
}

/** The app's callbacks, none of which can throw into what called it. */
export function guarded({ onAuthUrl, onStatus, onWarning }: Callbacks): Required<Callbacks> {
  // When it throws itself, nobody is left to be told.
  const warn = guard(onWarning, () => undefined)
  return { onAuthUrl: guard(onAuthUrl, warn), onStatus: guard(onStatus, warn), onWarning: warn }
}

/** A callback of the app that neither throws nor rejects; what it would have, the app is warned of. */
export function guard<T>(
  callback: ((value: T) => unknown) | undefined,
  warn: (warning: Warning) => void,
): (value: T) => void {
  return (value) => {
    try {
      // Callbacks are often async, and nobody else waits for them.
      Promise.resolve(callback?.(value)).catch((error: unknown) => warn({ kind: "callback", error }))
    } catch (error) {
      warn({ kind: "callback", error })
    }
  }
}
