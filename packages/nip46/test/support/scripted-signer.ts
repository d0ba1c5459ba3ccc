import { createNodeBackend } from "../../src/crypto/node/index.js"
import { type EventTemplate, NOSTR_CONNECT_KIND, type NostrEvent } from "../../src/protocol/event.js"
import { parseRequest, type Request } from "../../src/protocol/message.js"
import type { Transport, TransportFactory } from "../../src/transport/index.js"

const crypto = createNodeBackend()

/** One request as the signer got it. */
export interface Asked extends Request {
  readonly client: string
  readonly event: NostrEvent
  readonly plaintext: string
  /** Says anything to the client; an object goes as its JSON, and `id` is the request's unless given. */
  readonly answer: (response: unknown, fields?: AnswerFields) => Promise<void>
}

export interface AnswerFields {
  /** Unix seconds. */
  readonly createdAt?: number
  readonly from?: ScriptedSigner
  readonly transport?: Transport
}

/** A signer that says just what a test has it say. */
export interface ScriptedSigner {
  readonly pubkey: string
  readonly user: { readonly pubkey: string; sign(template: unknown): NostrEvent }
  readonly transport: Transport
  readonly asked: Asked[]
  /** What happens for a method; without a handler it answers as an honest signer does. */
  on(method: string, handler: (asked: Asked) => unknown): void
  /** Signs with its own key, which is not the user's. */
  sign(template: EventTemplate): NostrEvent
  /** The content of an event for this client. */
  seal(client: string, plaintext: string): string
  say(client: string, plaintext: string, fields?: AnswerFields): Promise<void>
  token(secret?: string): string
  /** Comes to one more relay, and answers there from then on. */
  listenAt(relay: string): void
  /** From now on it hears and speaks at these relays alone. */
  move(relays: readonly string[]): void
  close(): void
}

/** Connected from the start; `relays` are where it listens. */
export function scriptedSigner(open: TransportFactory, relays: readonly string[]): ScriptedSigner {
  const keypair = crypto.keypair(crypto.generateSecretKey())
  const user = crypto.keypair(crypto.generateSecretKey())
  let transport = open(relays, {})
  const transports = [transport]
  const asked: Asked[] = []
  const seen = new Set<string>()
  const handlers = new Map<string, (asked: Asked) => unknown>()

  const honest: Record<string, (asked: Asked) => unknown> = {
    connect: ({ answer }) => answer({ result: "ack" }),
    ping: ({ answer }) => answer({ result: "pong" }),
    get_public_key: ({ answer }) => answer({ result: user.pubkey }),
    switch_relays: ({ answer }) => answer({ result: "null" }),
    logout: ({ answer }) => answer({ result: "ack" }),
    sign_event: ({ answer, params }) =>
      answer({ result: JSON.stringify(crypto.signEvent(JSON.parse(params[0] ?? ""), user)) }),
  }

  const signer: ScriptedSigner = {
    pubkey: keypair.pubkey,
    user: { pubkey: user.pubkey, sign: (template) => crypto.signEvent(template as never, user) },
    get transport() {
      return transport
    },
    asked,
    on: (method, handler) => void handlers.set(method, handler),
    sign: (template) => crypto.signEvent(template, keypair),
    seal: (client, plaintext) => crypto.nip44Encrypt(plaintext, crypto.conversationKey(keypair, client)),
    async say(client, plaintext, { createdAt = Math.floor(Date.now() / 1000), transport: via = transport } = {}) {
      const content = signer.seal(client, plaintext)
      const template = { kind: NOSTR_CONNECT_KIND, content, tags: [["p", client]], created_at: createdAt }
      await via.publish(signer.sign(template))
    },
    token: (secret) => {
      const query = relays.map((relay) => `relay=${encodeURIComponent(relay)}`)
      if (secret !== undefined) query.push(`secret=${secret}`)
      return `bunker://${keypair.pubkey}?${query.join("&")}`
    },
    move(to) {
      transport.close()
      transport = open(to, {})
      listen()
    },
    listenAt(relay) {
      const more = open([relay], {})
      transports.push(more)
      listenOn(more)
    },
    close: () => {
      for (const each of transports) each.close()
    },
  }

  const listen = (): void => listenOn(transport)
  /** What comes over it is answered there. */
  const listenOn = (via: Transport): void => {
    const filters = [{ kinds: [NOSTR_CONNECT_KIND], "#p": [keypair.pubkey] }]
    via.subscribe(filters, { onEvent: (event) => received(event, via) })
  }
  const received = (event: NostrEvent, via: Transport): void => {
    // A copy from another relay.
    if (seen.has(event.id) || !crypto.verifyEvent(event)) return
    seen.add(event.id)
    const plaintext = crypto.nip44Decrypt(event.content, crypto.conversationKey(keypair, event.pubkey))
    const parsed = parseRequest(plaintext)
    if (parsed.kind !== "request") return
    const { request } = parsed
    const entry: Asked = {
      ...request,
      client: event.pubkey,
      event,
      plaintext,
      answer: async (response, { from = signer, ...fields } = {}) => {
        const text =
          typeof response === "string" ? response : JSON.stringify({ id: request.id, ...(response as object) })
        await from.say(event.pubkey, text, { ...(from === signer && { transport: via }), ...fields })
      },
    }
    asked.push(entry)
    const handler = handlers.get(request.method) ?? honest[request.method]
    if (handler === undefined) void entry.answer({ result: "error", error: "unknown method" })
    else void handler(entry)
  }
  listen()
  return signer
}
