import { afterEach, beforeEach, expect, it } from "vitest"
import { checkLeaks } from "../../test/support/leaks.js"
import type { Keypair } from "../crypto/backend.js"
import { createNodeBackend } from "../crypto/node/index.js"
import type { NostrEvent } from "../protocol/event.js"
import type { Transport, TransportHandlers } from "../transport/index.js"
import { Wire, type WireMessage } from "./wire.js"

const crypto = createNodeBackend()

checkLeaks()

let handlers: TransportHandlers
let messages: WireMessage[]
let wire: Wire
let client: Keypair
let signer: Keypair

beforeEach(() => {
  messages = []
  client = crypto.keypair(crypto.generateSecretKey())
  signer = crypto.keypair(crypto.generateSecretKey())
  const transport: Transport = {
    relays: ["wss://one.example"],
    subscribe(_, given) {
      handlers = given
      return { id: "s", update: () => undefined, close: () => undefined }
    },
    publish: async () => ({ accepted: true, relays: new Map() }),
    failure: () => undefined,
    checkNow: () => undefined,
    close: () => undefined,
  }
  wire = new Wire({
    crypto,
    clientKeypair: client,
    relays: transport.relays,
    openTransport: () => transport,
    now: Date.now,
  })
  wire.bind(signer.pubkey)
  wire.onMessage = (message) => messages.push(message)
})
afterEach(() => wire.close())

function eventOf(text: string, change: Partial<NostrEvent> = {}, author = signer): NostrEvent {
  const content = crypto.nip44Encrypt(text, crypto.conversationKey(author, client.pubkey))
  const template = { kind: 24133, content, tags: [["p", client.pubkey]], created_at: 1_700_000_000, ...change }
  return crypto.signEvent(template, author)
}

const hear = (event: NostrEvent): void => handlers.onEvent(event, "wss://one.example")
const flipped = (hex: string): string => `${hex[0] === "0" ? "1" : "0"}${hex.slice(1)}`

it("hears a genuine message once, however often and from however many relays it comes", () => {
  const event = eventOf("hello")
  for (let n = 0; n < 3; n++) hear(event)
  expect(messages).toEqual([{ author: signer.pubkey, plaintext: "hello", createdAt: 1_700_000_000 }])
})

it("hears nothing whose signature or id does not hold, though it would open; the genuine one still counts", () => {
  const event = eventOf("hello")
  hear({ ...event, sig: flipped(event.sig) })
  hear({ ...event, id: flipped(event.id) })
  hear({ ...event, created_at: event.created_at + 1 })
  const moved = { ...event, created_at: event.created_at + 1 }
  hear({ ...moved, id: crypto.eventId(moved) })
  expect(messages).toEqual([])
  hear(event)
  expect(messages).toHaveLength(1)
})

it("hears no other kind, no other author and nothing for others", () => {
  const stranger = crypto.keypair(crypto.generateSecretKey())
  hear(eventOf("kind", { kind: 4 }))
  hear(eventOf("tag", { tags: [["p", stranger.pubkey]] }))
  hear(eventOf("no tag", { tags: [] }))
  hear(eventOf("author", {}, stranger))
  expect(messages).toEqual([])
})

it("hears nothing once it is closed", () => {
  wire.close()
  hear(eventOf("late"))
  expect(messages).toEqual([])
  expect(() => wire.publish("x", {})).toThrow(expect.objectContaining({ code: "CLOSED" }) as Error)
})
