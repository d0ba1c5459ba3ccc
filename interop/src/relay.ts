/** Told to stop, or ended without a word. */
export type Restart = "stopping" | "cutting"

/** A relay between a client and the bunker. */
export interface RelayUnderTest {
  readonly name: string
  readonly url: string
  /** Whether it closes every WebSocket with code 1001 when told to stop; one that does not hangs up. */
  readonly closesProperly: boolean
  /** Goes away and comes back at the same address. */
  restart(how: Restart): Promise<void>
  close(): Promise<void>
}
