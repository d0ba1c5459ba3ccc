import { type Event, finalizeEvent, getEventHash } from "nostr-tools/pure"
import type { Random } from "./random.js"
import { RawClient } from "./raw-client.js"

/**
 * Events that nobody should get anything for. Real signatures are few, mutations many: what costs the
 * receiver a curve operation costs the sender a hash.
 */
export interface MalformedOptions {
  readonly random: Random
  /** A connected client: its pubkey, its old events and even its own signature are put to bad use. */
  readonly honest: RawClient
  /** A token of the same bunker, for strangers to talk to. */
  readonly token: string
  /** Its events are genuine, and must not be used up here. */
  readonly genuine: readonly Event[]
}

/** One thing to send: an event of whatever shape, or the text of a whole message. */
export type Malformed = { readonly event: unknown } | { readonly text: string }

type Make = () => Malformed

export interface MalformedMaker {
  /** Every kind of them in turn. */
  next(): Malformed
  /** How many there are. */
  readonly kinds: readonly string[]
}

const OVERSIZE_TAGS = 1_500

export function createMalformed({ random, honest, token, genuine }: MalformedOptions): MalformedMaker {
  const hex = (bytes: number): string =>
    Array.from({ length: bytes }, () => random.integer(256).toString(16).padStart(2, "0")).join("")
  const text = (length: number): string =>
    Array.from({ length }, () => String.fromCodePoint(1 + random.integer(0xd7fe))).join("")
  const now = (): number => Math.floor(Date.now() / 1000)
  const to = [["p", honest.remoteSigner]]
  const old = (): Event => random.pick(genuine)
  const forged = (content: string, tags = to): Event => {
    const unsigned = { kind: 24133, content, tags, created_at: now(), pubkey: honest.pubkey }
    return { ...unsigned, id: getEventHash(unsigned), sig: hex(64) }
  }
  const encrypted = (): string => old().content

  // The only real signatures: of strangers, and of the client over nonsense of its own.
  const strangers = Array.from({ length: 12 }, () => new RawClient(token))
  const strangersEvents = strangers.flatMap((stranger, n) => {
    const plaintext =
      n % 2 === 0
        ? JSON.stringify({ id: "1", method: "connect", params: [stranger.remoteSigner, hex(16)] })
        : JSON.stringify({ id: "1", method: "get_public_key", params: [] })
    return [stranger.seal(plaintext), stranger.seal(text(40))]
  })
  for (const stranger of strangers) stranger.close()
  const nonsense = [
    " ",
    "null",
    "[]",
    "{}",
    "0",
    "\ufeff{}",
    '{"id":"',
    "[".repeat(40_000),
    `{"id":"deep","method":"sign_event","params":[${"[".repeat(10_000)}`,
    '{"__proto__":{"id":"1","method":"ping"}}',
    '{"id":{"toString":1},"method":"ping","params":[]}',
    '{"id":1e999,"method":"ping","params":[]}',
    '{"id":"x","method":"__proto__","params":[]}',
    '{"id":"x","method":"constructor","params":{"length":9}}',
    '{"id":"x","method":"sign_event","params":["{\\"kind\\":\\"1\\"}"]}',
    '{"id":"x","method":"sign_event","params":["{\\"kind\\":1,\\"content\\":{},\\"tags\\":[[1]]}"]}',
    `{"id":"x","method":"nip44_decrypt","params":["${hex(32)}","AAAA"]}`,
    `{"id":"x","method":"nip44_encrypt","params":["${"f".repeat(64)}","to a point that is none"]}`,
    `{"id":"${"i".repeat(5_000)}","method":"ping"}`,
    JSON.stringify({ id: "x", method: text(200), params: Array.from({ length: 500 }, () => "") }),
    `"${"\\u0000".repeat(3_000)}"`,
  ].map((plaintext) => honest.seal(plaintext))
  const noise = ["", "AAAA", "x?iv=y", text(100), `${encrypted()}A`, encrypted().slice(8), "A".repeat(60_000)].map(
    (content) => finalizeEvent({ kind: 24133, content, tags: to, created_at: now() }, honest.secretKey),
  )

  const makers: Record<string, Make> = {
    "random bytes": () => ({ text: text(1 + random.integer(300)) }),
    "no message": () => ({ text: random.pick(["", "[]", "{}", "null", '["EVENT"]', '["EVENT","x",null]', '"EVENT"']) }),
    "deep JSON": () => ({ text: `["EVENT","bunker",${"[".repeat(20_000)}` }),
    "another kind": () => ({ event: { ...forged(encrypted()), kind: random.pick([1, 4, 0, 24134, 65_536, -1, 1.5]) } }),
    "a bad id": () => ({ event: { ...forged(encrypted()), id: hex(32) } }),
    "a bad signature": () => ({ event: forged(`${encrypted().slice(0, -8)}${hex(4)}`) }),
    "a signature of another event": () => ({ event: { ...forged(`${random.integer(1e9)}`), sig: old().sig } }),
    "the id of a genuine event": () => ({ event: { ...old(), content: encrypted().slice(4) } }),
    "a genuine event with another signature": () => ({ event: { ...old(), sig: hex(64) } }),
    "a genuine event by another author": () => ({ event: { ...old(), pubkey: hex(32) } }),
    "a pubkey that is no point": () => ({ event: { ...forged("x"), pubkey: "f".repeat(64) } }),
    undecryptable: () => ({ event: forged(random.pick(["", "?iv=", "AAAA", "#2", text(100), `${encrypted()}A`])) }),
    "huge tags": () => ({
      event: forged("x", [...to, ...Array.from({ length: OVERSIZE_TAGS }, () => ["e", "a".repeat(60)])]),
    }),
    "wrong types": () => ({ event: mistyped(forged(encrypted()), random) }),
    "a missing field": () => {
      const { [random.pick(["id", "pubkey", "sig", "kind", "tags", "content", "created_at"] as const)]: _, ...rest } =
        forged("x")
      return { event: rest }
    },
    "another time": () => {
      const unsigned = { ...forged("x"), created_at: random.pick([0, 1, 2 ** 40, Number.MAX_SAFE_INTEGER]) }
      return { event: { ...unsigned, id: getEventHash(unsigned) } }
    },
    strangers: () => ({ event: random.pick(strangersEvents) }),
    "the client's own nonsense": () => ({ event: random.pick(nonsense) }),
    "the client's own noise": () => ({ event: random.pick(noise) }),
  }
  const kinds = Object.keys(makers)
  let at = 0
  return { kinds, next: () => (makers[kinds[at++ % kinds.length] as string] as Make)() }
}

function mistyped(event: Event, random: Random): unknown {
  const name = random.pick(["id", "pubkey", "sig", "kind", "tags", "content", "created_at"] as const)
  const value = random.pick<unknown>([
    null,
    true,
    {},
    [],
    [[]],
    [[1]],
    [["p"], null],
    "",
    "G".repeat(64),
    "A".repeat(128),
    -1,
    1.5,
    1e308,
    { length: 64 },
    { toString: "x" },
  ])
  return { ...event, [name]: value, ["__proto__"]: { admin: true } }
}
