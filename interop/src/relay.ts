/** Closing every WebSocket as the protocol has it, or cutting the connections without a word. */
export type Restart = "closing" | "cutting"

/** A relay between a client and the bunker. */
export interface RelayUnderTest {
  readonly name: string
  readonly url: string
  /** Goes away and comes back at the same address. */
  restart(how: Restart): Promise<void>
  close(): Promise<void>
}
