/** One after the other, and only so many behind the one whose turn it is. */
export class Line {
  readonly #places: number
  #last: Promise<unknown> = Promise.resolve()
  #taken = 0

  /** @param places for those who wait, and for the one whose turn it is */
  constructor(places: number) {
    this.#places = places
  }

  /** Undefined: no place was left, and nothing was done. */
  run<T>(work: () => Promise<T>): Promise<T> | undefined {
    if (this.#taken >= this.#places) return undefined
    this.#taken += 1
    const turn = this.#last.then(work).finally(() => {
      this.#taken -= 1
    })
    this.#last = turn.catch(() => undefined)
    return turn
  }
}
