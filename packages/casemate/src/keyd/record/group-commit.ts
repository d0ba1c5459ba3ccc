/** Something to do inside a transaction. Looks at its conditions before it writes. */
export type Work<D> = (draft: D) => unknown

export interface GroupCommitOptions<D> {
  /** Runs all works in one transaction and returns their results, or throws having changed nothing. */
  readonly run: (works: readonly Work<D>[]) => unknown[]
  /** True when it is of no use to try each work alone. */
  readonly isHopeless: (error: unknown) => boolean
  /** What a caller gets to see of an error. */
  readonly toError: (error: unknown) => Error
}

interface Pending<D> {
  readonly work: Work<D>
  resolve(result: unknown): void
  reject(error: Error): void
}

/** How long a write that can wait waits for one that cannot, in milliseconds. */
const LAZY_MS = 20

/**
 * Collects the writes of one turn and commits them together: one fsync for many requests. When the
 * transaction fails, each write gets its own, so that one that cannot be committed takes no other with it.
 */
export class GroupCommit<D> {
  readonly #options: GroupCommitOptions<D>
  #queue: Pending<D>[] = []
  #soon: NodeJS.Immediate | undefined
  #later: NodeJS.Timeout | undefined

  constructor(options: GroupCommitOptions<D>) {
    this.#options = options
  }

  /** Resolves with the work's result once it is durable. `lazy`: rides in the next commit, within 20 ms. */
  write<T>(work: (draft: D) => T, { lazy = false } = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, resolve: resolve as (result: unknown) => void, reject })
      if (lazy) this.#later ??= setTimeout(() => this.flush(), LAZY_MS)
      else this.#soon ??= setImmediate(() => this.flush())
    })
  }

  /** Commits what is queued, now. */
  flush(): void {
    clearImmediate(this.#soon)
    clearTimeout(this.#later)
    this.#soon = undefined
    this.#later = undefined
    const batch = this.#queue
    this.#queue = []
    if (batch.length > 0) this.#commit(batch)
  }

  #commit(batch: readonly Pending<D>[]): void {
    const { run, isHopeless, toError } = this.#options
    let results: unknown[]
    try {
      results = run(batch.map((pending) => pending.work))
    } catch (error) {
      if (batch.length === 1 || isHopeless(error)) for (const pending of batch) pending.reject(toError(error))
      else for (const pending of batch) this.#commit([pending])
      return
    }
    for (const [i, pending] of batch.entries()) pending.resolve(results[i])
  }
}
