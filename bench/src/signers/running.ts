/** A signer that listens on the relay. */
export interface RunningSigner {
  /** A bunker:// token that has not been used. */
  readonly token: string
  readonly userPubkey: string
  /** All of its processes. */
  readonly pids: readonly number[]
  readonly close: () => Promise<void>
}
