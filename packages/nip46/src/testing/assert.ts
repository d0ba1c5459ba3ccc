/** Throws unless it holds. The suites run under any test runner, so they bring their own. */
export function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what)
}

/** Equal by value: arrays, plain objects and byte arrays, where an absent field and an undefined one are the same. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  const [left, right] = [canonical(actual), canonical(expected)]
  if (left !== right) throw new Error(`${what}: expected ${right}, got ${left}`)
}

/** Rejects with an error that carries this code. */
export async function rejects(promise: Promise<unknown>, code: string, what: string): Promise<void> {
  const outcome = await promise.then(
    () => "it resolved",
    (error: unknown) => (error as { code?: unknown } | undefined)?.code ?? error,
  )
  if (outcome !== code) throw new Error(`${what}: expected a rejection with ${code}, got ${String(outcome)}`)
}

function canonical(value: unknown): string {
  return JSON.stringify(sorted(value)) ?? "undefined"
}

function sorted(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] }
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value).filter(([, field]) => field !== undefined)
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, field]) => [name, sorted(field)]))
}
