import { finalizeEvent, generateSecretKey } from "nostr-tools/pure"
import { afterEach, beforeEach, expect, vi } from "vitest"
import type { NostrEvent } from "../../src/protocol/event.js"
import { RelayConnection, type RelayConnectionOptions, type RelayState } from "../../src/transport/relay-connection.js"
import type { RelayFilter } from "../../src/transport/relay-message.js"
import type { WebSocketLike } from "../../src/transport/web-socket.js"
import { checkLeaks } from "./leaks.js"

export const RELAY_URL = "wss://relay.test"
export const FILTERS: RelayFilter[] = [{ kinds: [24133], "#p": ["a".repeat(64)] }]
export const START = 1_700_000_000_000

/** A socket whose relay is the test. */
export class FakeSocket implements WebSocketLike {
  readyState = 0
  bufferedAmount = 0
  readonly sent: unknown[][] = []
  terminated = false
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null

  send(data: string): void {
    this.sent.push(JSON.parse(data) as unknown[])
  }
  close(): void {
    this.readyState = 2
  }
  terminate(): void {
    this.terminated = true
    this.readyState = 3
  }

  accept(): void {
    this.readyState = 1
    this.onopen?.({} as never)
  }
  say(...message: unknown[]): void {
    this.raw(JSON.stringify(message))
  }
  raw(data: unknown): void {
    this.onmessage?.({ data } as never)
  }
  drop(): void {
    this.readyState = 3
    this.onclose?.({ code: 1006 } as never)
  }
  /** What was sent with this label. */
  of(label: string): unknown[][] {
    return this.sent.filter((message) => message[0] === label)
  }
}

/** One with ping frames, as `ws` has. */
export class PingSocket extends FakeSocket {
  pings = 0
  onpong: (() => void) | null = null
  ping(): void {
    this.pings += 1
  }
}

export const sockets: FakeSocket[] = []
export const dialledAt: number[] = []
export const states: RelayState[] = []
const relays: RelayConnection[] = []

/** Fake timers and a clean bench for every test of a file; afterwards nothing may be left. */
export function useBench(): void {
  checkLeaks(() => sockets.filter((socket) => socket.readyState < 2).length)

  beforeEach(() => {
    vi.useFakeTimers({ now: START })
    for (const list of [sockets, dialledAt, states, relays]) list.length = 0
  })

  afterEach(() => {
    for (const relay of relays) relay.close()
    // close() leaves nothing behind, whatever the test did before.
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })
}

export function connect(options: Partial<RelayConnectionOptions> = {}, Socket: new () => FakeSocket = FakeSocket) {
  const relay = new RelayConnection({
    url: RELAY_URL,
    webSocket: () => {
      const socket = new Socket()
      sockets.push(socket)
      dialledAt.push(Date.now() - START)
      return socket
    },
    random: () => 0.5,
    onState: (state) => states.push(state),
    ...options,
  })
  relays.push(relay)
  return relay
}

export function last(): FakeSocket {
  return sockets.at(-1)!
}

export function signed(content = "x"): NostrEvent {
  const template = { kind: 24133, content, tags: [["p", "a".repeat(64)]], created_at: START / 1000 }
  return JSON.parse(JSON.stringify(finalizeEvent(template, generateSecretKey()))) as NostrEvent
}
