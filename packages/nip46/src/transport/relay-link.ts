/** What subscriptions and publishes see of one live connection. A new connection is a new link. */
export interface RelayLink {
  send(message: readonly unknown[]): boolean
  /** Makes the relay prove that it answers; a socket on which it does not is given up. */
  check(): void
  /** NIP-42, once for all that were refused; false when the relay knows no key of ours then. */
  authenticate(): Promise<boolean>
}
