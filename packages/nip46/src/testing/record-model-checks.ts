import { createMemoryRecord } from "../signer/memory-record.js"
import type { ClaimEffect, ClaimEntry, Connection, SignerRecord } from "../signer/ports.js"
import { ANSWER_TTL, CLAIM_TTL } from "../signer/ports.js"
import { equal } from "./assert.js"
import { activation } from "./record-connection-checks.js"
import type { Fixtures } from "./record-fixtures.js"
import { START } from "./record-fixtures.js"
import type { RecordCheck } from "./record-subject.js"

const STEPS = 1_000
const SEEDS = [1, 20_260_101]

/** The same random history, told to the memory record and to this one, has the same outcome at every step. */
export const modelChecks: readonly RecordCheck[] = SEEDS.map((seed) => ({
  title: `${STEPS} random operations have the memory record's outcome (seed ${seed})`,
  async run({ record }, fixtures) {
    const model = createMemoryRecord()
    const history = createHistory(seed, fixtures)
    for (let step = 1; step <= STEPS; step++) {
      const { name, apply } = history.next(await model.connections())
      const [expected, actual] = [await apply(model), await apply(record)]
      equal(actual, expected, `step ${step}, ${name}`)
      if (step % 50 === 0)
        equal(await everything(record), await everything(model), `all that is stored at step ${step}`)
    }
    equal(await everything(record), await everything(model), "all that is stored")
  },
}))

interface Operation {
  readonly name: string
  readonly apply: (record: SignerRecord) => Promise<unknown>
}

function createHistory(seed: number, fixtures: Fixtures): { next(connections: readonly Connection[]): Operation } {
  const random = createRandom(seed)
  const entries: ClaimEntry[] = []
  let now = START

  const below = (limit: number): number => Math.floor(random() * limit)
  const pick = <T>(items: readonly T[]): T | undefined => items[below(items.length)]

  function create(): Operation {
    const grants = Array.from({ length: below(4) }, () =>
      fixtures.grant({ usesLeft: random() < 0.5 ? undefined : below(6) }),
    )
    const fields = { grants, secretExpiresAt: now + below(900), createdAt: now }
    const connection = random() < 0.4 ? fixtures.offered(fields) : fixtures.active({ grants, createdAt: now })
    return operation("createConnection", (record) => record.createConnection(connection, fixtures.audit({ at: now })))
  }

  function effect(connection: Connection): ClaimEffect | undefined {
    if (connection.state === "offered" && random() < 0.8) return activation(connection, fixtures.hex())
    const draw = below(20)
    if (draw === 0) return { kind: "logout" }
    if (draw === 1) return { kind: "client_relays", relays: connection.relays.slice(below(3)) }
    return draw === 2 ? activation(connection, fixtures.hex()) : undefined
  }

  function commit(connection: Connection): Operation {
    const known = pick(entries)
    if (known !== undefined && random() < 0.15) return operation("commit again", (record) => record.commit(known))
    const entry = fixtures.entry(connection, {
      event: fixtures.event(now - below(300)),
      receivedAt: now,
      charges: connection.grants.filter(() => random() < 0.4).map((grant) => grant.id),
      expectedRevision: connection.revision + (random() < 0.1 ? 1 : 0),
      effect: effect(connection),
      ...(known !== undefined && random() < 0.15 ? { repeatKey: known.repeatKey } : {}),
    })
    entries.push(entry)
    return operation("commit", (record) => record.commit(entry))
  }

  function answer(): Operation {
    const eventId = pick(entries.slice(-40))?.eventId ?? fixtures.hex()
    const event = fixtures.event(now)
    return operation("answer", (record) => record.answer(eventId, event))
  }

  function recall(): Operation {
    const known = pick(entries)
    const eventId = random() < 0.5 ? (known?.eventId ?? fixtures.hex()) : fixtures.hex()
    const repeatKey = known?.repeatKey ?? fixtures.hex()
    const createdAt = now - below(2 * CLAIM_TTL)
    return operation("recall", (record) => record.recall(eventId, repeatKey, createdAt))
  }

  return {
    next(connections) {
      now += random() < 0.03 ? below(ANSWER_TTL * 8) : below(20)
      const connection = pick(connections)
      const draw = random()
      if (connection === undefined || draw < 0.04) return create()
      if (draw < 0.56) return commit(connection)
      if (draw < 0.74) return answer()
      if (draw < 0.9) return recall()
      if (draw < 0.94) {
        const state = pick(["active", "paused", "revoked"] as const) ?? "paused"
        const kept = state === "revoked" && random() < 0.7 ? "active" : state
        return operation(`setState ${kept}`, (record) =>
          record.setState(connection.id, kept, fixtures.audit({ at: now })),
        )
      }
      const jump = random() < 0.2 ? below(2 * CLAIM_TTL) - CLAIM_TTL : 0
      const at = now + jump
      return operation("purge", (record) => record.purge(at))
    },
  }
}

function operation(name: string, apply: (record: SignerRecord) => Promise<unknown>): Operation {
  return { name, apply }
}

async function everything(record: SignerRecord): Promise<unknown> {
  return [await record.connections(), await record.unanswered(), await record.answeredSince(0)]
}

/** mulberry32: small, seeded, the same everywhere. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
