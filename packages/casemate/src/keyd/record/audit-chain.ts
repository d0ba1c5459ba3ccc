import { Buffer } from "node:buffer"
import type { AuditRowStored } from "./queries.js"
import type { AuditHead, AuditSeal, AuditVerdict } from "./record.js"

/**
 * Each row's MAC covers the row and the MAC before it, under a key that is not in the database; the end
 * of the chain lies sealed beside it. So neither changing a row, nor taking one out, nor cutting the tail
 * passes, and nobody without the key can compute the chain anew.
 */
export interface Link {
  readonly seq: number
  readonly mac: Uint8Array
}

export const GENESIS: Link = { seq: 0, mac: new Uint8Array(32) }

export function nextMac(seal: AuditSeal, before: Link, row: Omit<AuditRowStored, "mac">): Uint8Array {
  return seal.mac(Buffer.concat([before.mac, Buffer.from(canonical(row))]))
}

/** A JSON array of the row's columns in a fixed order: unambiguous, and the same on every database. */
function canonical(row: Omit<AuditRowStored, "mac">): string {
  const { writer, seq, at, actor, connection_id, action, param, verdict, why, event_id } = row
  return JSON.stringify([writer, seq, at, actor, connection_id, action, param, verdict, why, event_id])
}

export function encodeHead({ seq, mac }: Link): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ seq, mac: Buffer.from(mac).toString("hex") }))
}

/** Only for bytes that the seal vouched for. */
export function decodeHead(bytes: Uint8Array): Link {
  const { seq, mac } = JSON.parse(new TextDecoder().decode(bytes)) as AuditHead
  return { seq, mac: Uint8Array.from(Buffer.from(mac, "hex")) }
}

export function toAuditHead({ seq, mac }: Link): AuditHead {
  return { seq, mac: Buffer.from(mac).toString("hex") }
}

/** What the last row alone can say; walking the chain finds the rest. */
export function doubtOf(head: Link, last: Link): string | undefined {
  if (last.seq < head.seq) return `${head.seq - last.seq} rows were cut from the end of the audit`
  if (last.seq > head.seq) return `${last.seq - head.seq} rows were put at the end of the audit by somebody else`
  return same(head.mac, last.mac) ? undefined : "the last row of the audit was altered"
}

/** Walks the chain row by row; remembers the first place at which it does not hold. */
export class ChainWalk {
  readonly #seal: AuditSeal
  readonly #expected: AuditHead | undefined
  #last: Link = GENESIS
  #broken: AuditVerdict | undefined

  constructor(seal: AuditSeal, expected: AuditHead | undefined) {
    this.#seal = seal
    this.#expected = expected
  }

  get broken(): AuditVerdict | undefined {
    return this.#broken
  }

  step(row: AuditRowStored): void {
    this.#broken ??= this.#check(row)
  }

  /** `head` is what the seal says of the end; undefined when there is none or it does not open. */
  end(head: Link | undefined): AuditVerdict {
    if (this.#broken !== undefined) return this.#broken
    const { seq } = this.#last
    if (head === undefined) return broken(seq, "the sealed head after it is missing or was altered")
    if (head.seq > seq) return broken(seq + 1, "it was cut from the end")
    if (head.seq < seq) return broken(head.seq + 1, "the sealed head does not know it")
    if (!same(head.mac, this.#last.mac)) return broken(seq, "the sealed head is of another history")
    if (this.#expected !== undefined && this.#expected.seq > seq) {
      return broken(seq + 1, "the head that you gave knows it: this database was rolled back")
    }
    return { ok: true, head: toAuditHead(this.#last) }
  }

  #check(row: AuditRowStored): AuditVerdict | undefined {
    const seq = this.#last.seq + 1
    if (row.seq !== seq) return broken(seq, "it was taken out, or another was put in before it")
    const mac = nextMac(this.#seal, this.#last, row)
    if (!same(mac, row.mac)) return broken(seq, "it was altered, or put in by somebody else")
    this.#last = { seq, mac }
    if (this.#expected?.seq !== seq || this.#expected.mac === toAuditHead(this.#last).mac) return undefined
    return broken(seq, "it is not the row of the head that you gave: this is another history")
  }
}

function broken(row: number, why: string): AuditVerdict {
  return { ok: false, row, why: `audit row ${row}: ${why}` }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
