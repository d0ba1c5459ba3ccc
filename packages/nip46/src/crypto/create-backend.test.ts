import { bytesToHex } from "@noble/hashes/utils.js"
import fc from "fast-check"
import * as theirs from "nostr-tools/pure"
import { describe, expect, it } from "vitest"
import type { EventTemplate, NostrEvent } from "../protocol/event.js"
import type { Curve, Keypair, Primitives } from "./backend.js"
import { createBackend } from "./create-backend.js"
import { createNodeBackend, nodePrimitives } from "./node/index.js"
import { createPortableBackend, portableCurve, portablePrimitives } from "./portable.js"

const SECRET = new Uint8Array(32).fill(7)
const TEMPLATE: EventTemplate = {
  kind: 1,
  created_at: 1_700_000_000,
  tags: [
    ["p", "a".repeat(64), "wss://relay.example"],
    ["t", 'it\'s "quoted"'],
  ],
  content: 'line\nbreak \\ "quote" \t \u0000 \u2028 é 😀',
}
const fails = (code: string) => expect.objectContaining({ name: "Nip46Error", code })

/** A curve that counts its calls and fails the test when an argument has another length than it may count on. */
function guardedCurve(): { curve: Curve; calls: () => number } {
  let calls = 0
  const guard = (...args: [Uint8Array, number][]) => {
    calls++
    for (const [arg, length] of args) expect(arg).toHaveLength(length)
  }
  const curve: Curve = {
    name: "guarded",
    isSecretKey(secretKey) {
      guard([secretKey, 32])
      return portableCurve.isSecretKey(secretKey)
    },
    isPublicKey(pubkey) {
      guard([pubkey, 32])
      return portableCurve.isPublicKey(pubkey)
    },
    publicKey(secretKey) {
      guard([secretKey, 32])
      return portableCurve.publicKey(secretKey)
    },
    sign(message, secretKey, aux) {
      guard([message, 32], [secretKey, 32], [aux, 32])
      return portableCurve.sign(message, secretKey, aux)
    },
    verify(signature, message, pubkey) {
      guard([signature, 64], [message, 32], [pubkey, 32])
      return portableCurve.verify(signature, message, pubkey)
    },
    ecdh(secretKey, pubkey) {
      guard([secretKey, 32], [pubkey, 32])
      return portableCurve.ecdh(secretKey, pubkey)
    },
  }
  return { curve, calls: () => calls }
}

const NOT_PUBKEYS: [string, unknown][] = [
  ["empty", ""],
  ["31 bytes", "a".repeat(62)],
  ["33 bytes", `02${"a".repeat(64)}`],
  ["upper case", bytesToHex(portableCurve.publicKey(SECRET)).toUpperCase()],
  ["not hex", "g".repeat(64)],
  ["a newline after it", `${bytesToHex(portableCurve.publicKey(SECRET))}\n`],
  ["npub", "npub1sn0wdenkukak0d9dfczzeacvhkrgz92ak56egt7vdgzn8pv2wfqqhrjdv9"],
  ["off the curve", "0".repeat(64)],
  ["above p", "f".repeat(64)],
  ["bytes", portableCurve.publicKey(SECRET)],
  ["undefined", undefined],
]

describe.each([createPortableBackend(), createNodeBackend()])("backend $name", (crypto) => {
  const keypair = crypto.keypair(SECRET)
  const event = crypto.signEvent(TEMPLATE, keypair)

  describe("keys", () => {
    it.each([
      ["zero", new Uint8Array(32)],
      ["the order or more", new Uint8Array(32).fill(255)],
      ["31 bytes", new Uint8Array(31).fill(1)],
      ["33 bytes", new Uint8Array(33).fill(1)],
      ["hex", "01".repeat(32) as unknown as Uint8Array],
      ["an array", new Array(32).fill(1) as unknown as Uint8Array],
      ["undefined", undefined as unknown as Uint8Array],
    ])("a secret key that is none is refused: %s", (_, secretKey) => {
      expect(() => crypto.keypair(secretKey)).toThrow(fails("INVALID_KEY"))
    })

    it("generates keys that work and differ", () => {
      const [a, b] = [crypto.generateSecretKey(), crypto.generateSecretKey()]
      expect(a).toHaveLength(32)
      expect(a).not.toEqual(b)
      expect(crypto.keypair(a).pubkey).toBe(theirs.getPublicKey(a))
      expect(crypto.isPubkey(crypto.keypair(b).pubkey)).toBe(true)
    })

    it.each(NOT_PUBKEYS)("a pubkey that is none is refused: %s", (_, value) => {
      const pubkey = value as string
      expect(crypto.isPubkey(pubkey)).toBe(false)
      expect(() => crypto.conversationKey(keypair, pubkey)).toThrow(fails("INVALID_KEY"))
      expect(() => crypto.nip04Encrypt("a", keypair, pubkey)).toThrow(fails("INVALID_KEY"))
      expect(() => crypto.nip04Decrypt("AAAA?iv=AAAA", keypair, pubkey)).toThrow(fails("INVALID_KEY"))
    })

    it("copies the secret: the caller may wipe its own", () => {
      const own = Uint8Array.from(SECRET)
      const copied = crypto.keypair(own)
      own.fill(0)
      expect(crypto.verifyEvent(crypto.signEvent(TEMPLATE, copied))).toBe(true)
    })
  })

  describe("events", () => {
    it("ids and signatures agree with nostr-tools, both ways", () => {
      const text = fc.string({ unit: "binary", maxLength: 200 })
      const fields = {
        kind: fc.integer({ min: 0, max: 65_535 }),
        created_at: fc.integer({ min: 0, max: 2 ** 40 }),
        tags: fc.array(fc.array(text, { maxLength: 4 }), { maxLength: 4 }),
        content: text,
      }
      // nostr-tools takes nothing without a prototype for an event.
      const template = fc.record(fields, { noNullPrototype: true })
      fc.assert(
        fc.property(template, (t) => {
          const ours = crypto.signEvent(t, keypair)
          expect(ours).toEqual({ ...t, pubkey: theirs.getPublicKey(SECRET), id: ours.id, sig: ours.sig })
          expect(theirs.getEventHash(ours)).toBe(ours.id)
          // A plain copy: nostr-tools caches its verdict on the object.
          expect(theirs.verifyEvent({ ...ours })).toBe(true)
          const other = theirs.finalizeEvent({ ...t }, SECRET)
          expect(crypto.eventId(other)).toBe(other.id)
          expect(crypto.verifyEvent({ ...other })).toBe(true)
        }),
        { numRuns: 15 },
      )
    })

    it("signs a copy: what becomes of the template afterwards does not matter", () => {
      const template = structuredClone(TEMPLATE)
      const signed = crypto.signEvent({ ...template, extra: 1 } as EventTemplate, keypair)
      template.tags[0]![0] = "e"
      template.tags.push(["x"])
      expect(signed.tags).toEqual(TEMPLATE.tags)
      expect(Object.keys(signed).sort()).toEqual(["content", "created_at", "id", "kind", "pubkey", "sig", "tags"])
    })

    it.each<[string, Record<string, unknown>]>([
      ["kind above 65535", { kind: 65_536 }],
      ["kind as text", { kind: "1" }],
      ["a fraction of a second", { created_at: 1.5 }],
      ["no content", { content: undefined }],
      ["tags with numbers", { tags: [["p", 1]] }],
      ["tags that are none", { tags: {} }],
    ])("does not sign what NIP-01 does not allow: %s", (_, change) => {
      expect(() => crypto.signEvent({ ...TEMPLATE, ...change } as EventTemplate, keypair)).toThrow(
        fails("INVALID_EVENT"),
      )
    })

    const other = crypto.signEvent({ ...TEMPLATE, content: "other" }, keypair)
    const stranger = crypto.signEvent(TEMPLATE, crypto.keypair(new Uint8Array(32).fill(8)))
    it.each<[string, Partial<Record<keyof NostrEvent, unknown>>]>([
      ["kind", { kind: 2 }],
      ["created_at", { created_at: TEMPLATE.created_at + 1 }],
      ["content", { content: `${TEMPLATE.content} ` }],
      ["content, a BOM added", { content: `\ufeff${TEMPLATE.content}` }],
      ["tags, one less", { tags: TEMPLATE.tags.slice(1) }],
      ["tags, one value", { tags: [["p", "b".repeat(64), "wss://relay.example"], TEMPLATE.tags[1]] }],
      ["tags, order", { tags: [...TEMPLATE.tags].reverse() }],
      ["pubkey of another", { pubkey: stranger.pubkey }],
      ["pubkey off the curve", { pubkey: "0".repeat(64) }],
      ["sig of another event", { sig: other.sig }],
      ["sig of another signer", { sig: stranger.sig }],
      ["sig of zeros", { sig: "0".repeat(128) }],
      ["sig, last digit", { sig: event.sig.slice(0, -1) + (event.sig.endsWith("0") ? "1" : "0") }],
      ["id of a genuine event", { id: other.id }],
      ["id and sig of a genuine event", { id: other.id, sig: other.sig }],
      ["id, upper case", { id: event.id.toUpperCase() }],
      ["pubkey, upper case", { pubkey: event.pubkey.toUpperCase() }],
      ["sig, upper case", { sig: event.sig.toUpperCase() }],
      ["id cut short", { id: event.id.slice(2) }],
      ["sig cut short", { sig: event.sig.slice(2) }],
      ["id in a list", { id: [event.id] }],
      ["id missing", { id: undefined }],
      ["sig missing", { sig: undefined }],
      ["kind as text", { kind: "1" }],
      ["tags missing", { tags: undefined }],
      ["content missing", { content: undefined }],
    ])("does not verify with a field changed: %s", (_, change) => {
      const twin = { ...event, ...change } as NostrEvent
      // The genuine one before and after: no verdict sticks to an id.
      expect(crypto.verifyEvent(event)).toBe(true)
      expect(crypto.verifyEvent(twin)).toBe(false)
      expect(crypto.verifyEvent(event)).toBe(true)
    })

    it("does not verify an event whose spelling was upper-cased before it was hashed", () => {
      const shouting = { ...event, pubkey: event.pubkey.toUpperCase() }
      expect(crypto.verifyEvent({ ...shouting, id: crypto.eventId(shouting) })).toBe(false)
    })

    it.each([null, undefined, 1, "event", [], {}])("does not verify %j, nor throw", (value) => {
      expect(crypto.verifyEvent(value as unknown as NostrEvent)).toBe(false)
    })

    it("verifyEventSignature believes the computed id and no other", () => {
      expect(crypto.verifyEventSignature(event, crypto.eventId(event))).toBe(true)
      expect(crypto.verifyEventSignature(event, other.id)).toBe(false)
      expect(crypto.verifyEventSignature({ ...event, id: other.id }, event.id)).toBe(false)
      expect(crypto.verifyEventSignature({ ...event, sig: other.sig }, event.id)).toBe(false)
      for (const field of ["id", "pubkey", "sig"] as const) {
        const shouting = { ...event, [field]: event[field].toUpperCase() }
        expect(crypto.verifyEventSignature(shouting, shouting.id)).toBe(false)
        expect(crypto.verifyEventSignature({ ...event, [field]: "" }, event.id)).toBe(false)
      }
    })
  })

  describe("wipe", () => {
    it("ends every use of the handle with INVALID_KEY, and of no other", () => {
      const wiped = crypto.keypair(SECRET)
      const payload = crypto.nip04Encrypt("a", wiped, event.pubkey)
      wiped.wipe()
      wiped.wipe()
      expect(wiped.pubkey).toBe(keypair.pubkey)
      expect(() => crypto.signEvent(TEMPLATE, wiped)).toThrow(fails("INVALID_KEY"))
      expect(() => crypto.conversationKey(wiped, event.pubkey)).toThrow(fails("INVALID_KEY"))
      expect(() => crypto.nip04Encrypt("a", wiped, event.pubkey)).toThrow(fails("INVALID_KEY"))
      expect(() => crypto.nip04Decrypt(payload, wiped, event.pubkey)).toThrow(fails("INVALID_KEY"))
      expect(crypto.nip04Decrypt(payload, keypair, event.pubkey)).toBe("a")
    })
  })
})

describe("handles across backends", () => {
  const node = createNodeBackend()
  const portable = createPortableBackend()

  it("a handle of one backend works in the other", () => {
    const keypair = node.keypair(SECRET)
    expect(node.verifyEvent(portable.signEvent(TEMPLATE, keypair))).toBe(true)
    expect(portable.conversationKey(keypair, keypair.pubkey)).toEqual(node.conversationKey(keypair, keypair.pubkey))
  })

  it("what only looks like one is refused", () => {
    const keypair = node.keypair(SECRET)
    const lookalikes: unknown[] = [
      { ...keypair },
      Object.create(keypair),
      new Proxy(keypair, {}),
      { pubkey: keypair.pubkey, wipe() {} },
      null,
      SECRET,
    ]
    for (const handle of lookalikes) {
      expect(() => node.signEvent(TEMPLATE, handle as Keypair)).toThrow(fails("INVALID_KEY"))
    }
  })
})

describe("what reaches a curve", () => {
  it("has the right length, whatever the caller passes", () => {
    const { curve, calls } = guardedCurve()
    const crypto = createBackend(nodePrimitives, curve)
    const keypair = crypto.keypair(SECRET)
    const event = crypto.signEvent(TEMPLATE, keypair)
    expect(crypto.verifyEvent(event)).toBe(true)
    const before = calls()
    expect(before).toBe(4)

    for (const [name, value] of NOT_PUBKEYS.filter(([name]) => name !== "off the curve" && name !== "above p")) {
      const pubkey = value as string
      expect(crypto.isPubkey(pubkey), name).toBe(false)
      expect(() => crypto.conversationKey(keypair, pubkey)).toThrow(fails("INVALID_KEY"))
      expect(crypto.verifyEvent({ ...event, pubkey })).toBe(false)
      expect(crypto.verifyEventSignature({ ...event, pubkey }, event.id)).toBe(false)
    }
    for (const sig of ["", event.sig.slice(2), `${event.sig}00`, event.sig.toUpperCase(), "z".repeat(128)]) {
      expect(crypto.verifyEventSignature({ ...event, sig }, event.id)).toBe(false)
    }
    for (const length of [0, 31, 33]) expect(() => crypto.keypair(new Uint8Array(length))).toThrow(fails("INVALID_KEY"))
    expect(calls()).toBe(before)
  })

  it("never is a bad id: it is refused before anything is hashed", () => {
    const { curve, calls } = guardedCurve()
    let hashes = 0
    const counting: Primitives = {
      ...portablePrimitives,
      sha256(data) {
        hashes++
        return portablePrimitives.sha256(data)
      },
    }
    const crypto = createBackend(counting, curve)
    const event = createPortableBackend().signEvent(TEMPLATE, createPortableBackend().keypair(SECRET))
    for (const id of [event.id.toUpperCase(), event.id.slice(1), `${event.id}0`, "", "x".repeat(64)]) {
      expect(crypto.verifyEvent({ ...event, id })).toBe(false)
      expect(crypto.verifyEventSignature({ ...event, id }, id)).toBe(false)
    }
    expect([hashes, calls()]).toEqual([0, 0])
    expect(crypto.verifyEvent(event)).toBe(true)
    expect([hashes, calls()]).toEqual([1, 1])
  })
})

it("a broken random generator ends in an error, not in a loop", () => {
  const broken = { ...nodePrimitives, randomBytes: (length: number) => new Uint8Array(length) }
  expect(() => createBackend(broken, portableCurve).generateSecretKey()).toThrow(fails("INVALID_KEY"))
})

it("maxPayloadChars bounds both formats, both ways", () => {
  const small = createPortableBackend({ maxPayloadChars: 200 })
  const big = createPortableBackend()
  const keypair = big.keypair(SECRET)
  const key = big.conversationKey(keypair, keypair.pubkey)
  const text = "a".repeat(300)
  expect(small.nip44Decrypt(small.nip44Encrypt("a", key), key)).toBe("a")
  expect(() => small.nip44Encrypt(text, key)).toThrow(fails("ENCRYPTION_FAILED"))
  expect(() => small.nip44Decrypt(big.nip44Encrypt(text, key), key)).toThrow(fails("DECRYPTION_FAILED"))
  expect(() => small.nip04Encrypt(text, keypair, keypair.pubkey)).toThrow(fails("ENCRYPTION_FAILED"))
  const payload = big.nip04Encrypt(text, keypair, keypair.pubkey)
  expect(() => small.nip04Decrypt(payload, keypair, keypair.pubkey)).toThrow(fails("DECRYPTION_FAILED"))
  expect(big.nip04Decrypt(payload, keypair, keypair.pubkey)).toBe(text)
})
