import { createMemoryRecord } from "../signer/memory-record.js"
import type {
  ApprovalEntry,
  ClaimEffect,
  ClaimEntry,
  Connection,
  DecisionEntry,
  Grant,
  SignerRecord,
  Terms,
} from "../signer/ports.js"
import { ANSWER_TTL, CLAIM_TTL } from "../signer/ports.js"
import { equal } from "./assert.js"
import { activation } from "./record-connection-checks.js"
import type { Fixtures } from "./record-fixtures.js"
import { START } from "./record-fixtures.js"
import { everything, type RecordCheck } from "./record-subject.js"

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
  const asked: ClaimEntry[] = []
  const users = [fixtures.hex(), fixtures.hex()]
  let now = START

  const below = (limit: number): number => Math.floor(random() * limit)
  const pick = <T>(items: readonly T[]): T | undefined => items[below(items.length)]

  function grant(): Grant {
    return fixtures.grant({
      usesLeft: random() < 0.5 ? undefined : below(6),
      rate: random() < 0.5 ? undefined : { uses: 1 + below(4), seconds: 1 + below(300) },
    })
  }

  function create(): Operation {
    const grants = Array.from({ length: below(4) }, grant)
    const fields = { grants, secretExpiresAt: now + below(900), createdAt: now }
    const userPubkey = pick(users) ?? fixtures.hex()
    const connection =
      random() < 0.4
        ? fixtures.offered({ ...fields, userPubkey })
        : fixtures.active({ grants, createdAt: now, userPubkey })
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
      charges: connection.grants.filter(() => random() < 0.25).map((grant) => grant.id),
      expectedRevision: connection.revision + (random() < 0.1 ? 1 : 0),
      effect: effect(connection),
      ...(known !== undefined && random() < 0.15 ? { repeatKey: known.repeatKey } : {}),
      ...(random() < 0.3 ? { verdict: { kind: "ask" }, approval: approval() } : {}),
    })
    entries.push(entry)
    if (entry.approval !== undefined) asked.push(entry)
    return operation("commit", (record) => record.commit(entry))
  }

  function approval(): ApprovalEntry {
    const limits = { maxScopes: 1 + below(4), maxOfConnection: 1 + below(12), maxWaiting: 1 + below(25) }
    return fixtures.approval({ scope: `scope ${below(4)}`, ...limits })
  }

  function decide(connections: readonly Connection[], any: Connection): Operation {
    const one = pick(asked.slice(-12))
    const connection = connections.find(({ id }) => id === one?.connectionId) ?? any
    const beside = asked.filter(({ connectionId }) => random() < 0.05 || connectionId === connection.id).slice(-6)
    const to = pick(["approved", "denied", "expired"] as const) ?? "approved"
    const charged = {
      grants: connection.grants.filter(() => random() < 0.3).map(({ id }) => id),
      expectedRevision: connection.revision + (random() < 0.1 ? 1 : 0),
    }
    const entry: DecisionEntry = {
      connectionId: connection.id,
      ids: [one, ...beside.filter(() => random() < 0.4)].flatMap((each) => each?.approval?.id ?? []),
      from: random() < 0.7 ? "pending" : "expired",
      to,
      verdict: to === "approved" ? { kind: "allow", decidedAt: now } : { kind: "deny", reason: to },
      at: now,
      terms: random() < 0.2 ? { addGrants: [grant()], removeGrants: charged.grants } : undefined,
      charged: random() < 0.3 ? charged : undefined,
      audit: fixtures.audit({ at: now }),
    }
    return operation(`decide ${entry.from} ${to}`, (record) => record.decide(entry))
  }

  function challenge(): Operation {
    const id = pick(asked)?.approval?.id ?? fixtures.hex().slice(-32)
    const event = fixtures.event(now)
    return operation("challenge", (record) => record.challenge(id, event))
  }

  function setTerms(connection: Connection): Operation {
    const style = pick(["auth_url", "hold", "deny", undefined] as const)
    const terms: Terms = {
      removeGrants: connection.grants.filter(() => random() < 0.3).map(({ id }) => id),
      addGrants: Array.from({ length: below(3) }, grant),
      expiresAt: random() < 0.3 ? null : now + below(900),
      ...(style !== undefined && { style }),
    }
    return operation("setTerms", (record) => record.setTerms(connection.id, terms, fixtures.audit({ at: now })))
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
      if (draw < 0.5) return commit(connection)
      if (draw < 0.64) return answer()
      if (draw < 0.76) return recall()
      if (draw < 0.86) return decide(connections, connection)
      if (draw < 0.88) return challenge()
      if (draw < 0.9) return setTerms(connection)
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
