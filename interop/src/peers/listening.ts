import { until } from "../../../packages/casemate/test/support/bunker.js"
import { subscriptionsOf } from "../wire.js"

/** Starts a signer, and waits until it has subscribed on so many relays: before that, it hears nobody. */
export async function listening(pubkey: string, relays: number, start: () => Promise<void>): Promise<void> {
  const before = subscriptionsOf(pubkey)
  await start()
  await until(() => subscriptionsOf(pubkey) >= before + relays, {
    deadlineMs: 10_000,
    what: "the signer's subscription",
  })
}
