/**
 * Which parties know an event already. NIP-46 events are not stored, so a sender that repeats one wants to
 * reach who was away: a duplicate is withheld from those who had it, not from those who came since.
 */
export class SeenEvents {
  readonly #capacity: number
  readonly #parties = new Map<string, Set<string>>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  has(eventId: string): boolean {
    return this.#parties.has(eventId)
  }

  /** True the first time that `party` is told of the event. The id must be one that was verified. */
  tell(eventId: string, party: string): boolean {
    let parties = this.#parties.get(eventId)
    if (parties === undefined) {
      parties = new Set()
      this.#parties.set(eventId, parties)
      if (this.#parties.size > this.#capacity) this.#forgetOldest()
    }
    if (parties.has(party)) return false
    parties.add(party)
    return true
  }

  #forgetOldest(): void {
    for (const id of this.#parties.keys()) {
      this.#parties.delete(id)
      return
    }
  }
}
