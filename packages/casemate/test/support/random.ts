/** A small seeded generator (mulberry32): what it led to can be led to again. */
export interface Random {
  readonly seed: number
  /** Whole, from 0 up to and without `below`. */
  integer(below: number): number
  pick<T>(from: readonly T[]): T
}

/** `CASEMATE_TEST_SEED` repeats a run. */
export function createRandom(seed = Number(process.env["CASEMATE_TEST_SEED"] ?? Date.now() % 2 ** 31)): Random {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const integer = (below: number): number => Math.floor(next() * below)
  return { seed, integer, pick: (from) => from[integer(from.length)] as (typeof from)[number] }
}
