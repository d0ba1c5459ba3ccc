import { NOSTR_CONNECT_KIND } from "@casemate/nip46/protocol"
import type { RelayConnection } from "@casemate/nip46/transport"

/** Relays that have nothing stored may say nothing at all: one that is connected so long after its REQ has it. */
const PATIENCE_MS = 3_000
/** A dial takes at most 10 s. */
const DEADLINE_MS = 11_000

/**
 * Resolves once this relay is known to have a REQ for the pubkey: it answered one that went out on the same
 * socket, or stayed connected for 3 s. Rejects with the reason when it cannot be reached.
 *
 * It asks by a subscription of its own, so that no EOSE of an earlier one is mistaken for it.
 */
export async function untilListening(connection: RelayConnection, pubkey: string): Promise<void> {
  const timers: NodeJS.Timeout[] = []
  let close = (): void => {}
  try {
    await new Promise<void>((resolve, reject) => {
      const look = (isLast: boolean): void => {
        const { state } = connection
        if (state.kind === "connected") resolve()
        else if (state.kind === "waiting") reject(new Error(state.reason))
        else if (isLast) reject(new Error("no connection in time"))
      }
      timers.push(setTimeout(look, PATIENCE_MS, false), setTimeout(look, DEADLINE_MS, true))
      // Nobody knows the pubkey yet: a REQ for nothing but the future is answered at once.
      const since = Math.floor(Date.now() / 1000)
      const subscription = connection.subscribe([{ kinds: [NOSTR_CONNECT_KIND], "#p": [pubkey], since }], {
        onEvent: () => resolve(),
        onEose: () => resolve(),
        onRefused: (reason) => reject(new Error(reason)),
      })
      close = () => subscription.close()
    })
  } finally {
    for (const timer of timers) clearTimeout(timer)
    close()
  }
}
