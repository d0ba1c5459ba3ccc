import { afterEach, beforeEach, expect, vi } from "vitest"
import { FaultRelay, type FaultRelayOptions } from "../../src/testing/fault-relay.js"
import type { RelayFaults } from "../../src/testing/relay-faults.js"
import { checkLeaks } from "./leaks.js"
import { BOB, crypto, RawPeer, START, signed } from "./raw-peer.js"

/** The fault relay of the test that runs. */
export let relay: FaultRelay

/** Fake timers for every test of a file, and nothing of it left afterwards. */
export function useFaultBench(): void {
  checkLeaks(() => relay.sockets)

  beforeEach(() => {
    vi.useFakeTimers({ now: START * 1000 })
  })

  afterEach(async () => {
    relay.close()
    expect(vi.getTimerCount()).toBe(0)
    await settled()
    expect(relay.sockets).toBe(0)
    vi.useRealTimers()
  })
}

export function create(faults: Partial<RelayFaults> = {}, options: FaultRelayOptions = {}): FaultRelay {
  return use(new FaultRelay({ verifyEvent: (event) => crypto.verifyEvent(event), faults, ...options }))
}

/** Makes one of another make the relay of the test. */
export function use(own: FaultRelay): FaultRelay {
  relay = own
  return relay
}

/** Everything in memory has arrived. */
export async function settled(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0)
}

export async function dial(): Promise<RawPeer> {
  const peer = RawPeer.dial(relay)
  await settled()
  return peer
}

/** A peer that listens for Bob on "sub", the rest of its past forgotten. */
export async function listener(filter: object = { kinds: [24133], "#p": [BOB] }): Promise<RawPeer> {
  const peer = await dial()
  peer.say("REQ", "sub", filter)
  await settled()
  peer.clear()
  return peer
}

/** Publishes events with these contents over one socket, one after the other. */
export async function publish(peer: RawPeer, ...contents: string[]): Promise<void> {
  for (const content of contents) peer.say("EVENT", signed({ content }))
  await settled()
}
