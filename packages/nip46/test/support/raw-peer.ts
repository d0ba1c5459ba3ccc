import { createPortableBackend } from "../../src/crypto/portable.js"
import type { EventTemplate, NostrEvent } from "../../src/protocol/event.js"
import type { FaultRelay } from "../../src/testing/fault-relay.js"
import type { WebSocketLike } from "../../src/transport/web-socket.js"

export const crypto = createPortableBackend()
export const KEYS = [1, 2, 3].map((byte) => crypto.keypair(new Uint8Array(32).fill(byte)))
export const [ALICE, BOB, CAROL] = KEYS.map((key) => key.pubkey) as [string, string, string]
/** Unix seconds at which tests with fake timers begin. */
export const START = 1_700_000_000

/** Signed by KEYS[0] unless another is named; ephemeral, to Bob, at START. */
export function signed(fields: Partial<EventTemplate> = {}, key = KEYS[0]!): NostrEvent {
  return crypto.signEvent({ kind: 24133, content: "x", tags: [["p", BOB]], created_at: START, ...fields }, key)
}

export function proof(challenge: string, relay: string, key = KEYS[0]!, fields: Partial<EventTemplate> = {}) {
  const tags = [
    ["relay", relay],
    ["challenge", challenge],
  ]
  return signed({ kind: 22242, content: "", tags, ...fields }, key)
}

/** A client with no mind of its own: it says what the test says, and keeps what it hears. */
export class RawPeer {
  readonly socket: WebSocketLike
  /** Text as it came. */
  readonly texts: string[] = []
  readonly closes: number[] = []
  opened = false
  errors = 0
  pongs = 0

  constructor(socket: WebSocketLike) {
    this.socket = socket
    socket.onopen = () => {
      this.opened = true
    }
    socket.onmessage = (event: { data: string }) => this.texts.push(event.data)
    socket.onerror = () => {
      this.errors += 1
    }
    socket.onclose = (event: { code: number }) => this.closes.push(event.code)
    socket.onpong = () => {
      this.pongs += 1
    }
  }

  static dial(relay: FaultRelay): RawPeer {
    return new RawPeer(relay.webSocket(relay.url))
  }

  get heard(): unknown[][] {
    return this.texts.map((text) => JSON.parse(text) as unknown[])
  }

  say(...message: unknown[]): void {
    this.socket.send(JSON.stringify(message))
  }

  /** What was heard with this label, without it. */
  of(label: string): unknown[][] {
    return this.heard.filter((message) => message[0] === label).map((message) => message.slice(1))
  }

  /** Contents of the events heard, in order. */
  get contents(): string[] {
    return this.of("EVENT").map((message) => (message[1] as NostrEvent).content)
  }

  /** Forgets what was heard. */
  clear(): void {
    this.texts.length = 0
  }
}
