/** A map that forgets what was not used for longest once it is full. `onLeave` gets what it forgets. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>()
  readonly #max: number
  readonly #onLeave: ((value: V) => void) | undefined

  constructor(max: number, onLeave?: (value: V) => void) {
    this.#max = max
    this.#onLeave = onLeave
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key)
    if (value !== undefined) {
      this.#entries.delete(key)
      this.#entries.set(key, value)
    }
    return value
  }

  set(key: K, value: V): void {
    const old = this.#entries.get(key)
    if (old !== undefined && old !== value) this.#onLeave?.(old)
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#max) {
      const [oldest] = this.#entries.keys()
      this.delete(oldest as K)
    }
  }

  delete(key: K): void {
    const value = this.#entries.get(key)
    if (this.#entries.delete(key) && value !== undefined) this.#onLeave?.(value)
  }

  clear(): void {
    for (const key of [...this.#entries.keys()]) this.delete(key)
  }
}
