import type { NostrEvent } from "@casemate/nip46/protocol"
import { type Filter, indexKeys, isVoid, matchesFilter } from "./filter.js"

export interface IndexedSubscription {
  readonly filters: readonly Filter[]
}

type Table<S> = Map<string, Set<S>>

/**
 * Finds the subscriptions of an event by what they name (`p` tag, author or id), so that the cost of an
 * event does not grow with the number of people connected.
 */
export class SubscriptionIndex<S extends IndexedSubscription> {
  readonly #tables: Record<"p" | "author" | "id", Table<S>> = { p: new Map(), author: new Map(), id: new Map() }

  add(subscription: S): void {
    for (const [table, value] of this.#places(subscription)) {
      const found = table.get(value)
      if (found === undefined) table.set(value, new Set([subscription]))
      else found.add(subscription)
    }
  }

  remove(subscription: S): void {
    for (const [table, value] of this.#places(subscription)) {
      const found = table.get(value)
      found?.delete(subscription)
      if (found?.size === 0) table.delete(value)
    }
  }

  /** Each subscription once, in no order. */
  match(event: NostrEvent): Set<S> {
    const matching = new Set<S>()
    const { p, author, id } = this.#tables
    collect(author.get(event.pubkey), event, matching)
    collect(id.get(event.id), event, matching)
    // A set, because a tag that is repeated a hundred times must not cost a hundred lookups.
    for (const value of new Set(pTags(event))) collect(p.get(value), event, matching)
    return matching
  }

  /** Index entries, for a test that nothing stays behind. */
  get size(): number {
    return this.#tables.p.size + this.#tables.author.size + this.#tables.id.size
  }

  *#places({ filters }: S): Iterable<[Table<S>, string]> {
    for (const filter of filters) {
      const keys = isVoid(filter) ? undefined : indexKeys(filter)
      for (const value of keys?.values ?? []) yield [this.#tables[keys!.by], value]
    }
  }
}

/** NIP-01: the first value of a tag is what it is found by. */
export function pTags({ tags }: NostrEvent): string[] {
  return tags.flatMap(([name, value]) => (name === "p" && value !== undefined ? [value] : []))
}

function collect<S extends IndexedSubscription>(from: Set<S> | undefined, event: NostrEvent, into: Set<S>): void {
  for (const subscription of from ?? []) {
    if (subscription.filters.some((filter) => matchesFilter(filter, event))) into.add(subscription)
  }
}
