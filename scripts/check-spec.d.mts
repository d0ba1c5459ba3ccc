export interface Clause {
  readonly id: string
  readonly level: "MUST" | "SHOULD" | "MAY"
  readonly side: "client" | "remote-signer" | "both"
  /** What it asks, in one line. */
  readonly meaning: string
  /** Why it is not done, if the document says so. */
  readonly refusal: string | undefined
  /** The id of the clause that it hangs on. */
  readonly condition: string | undefined
}

export interface Quirk {
  readonly id: string
  /** What is coped with, in one line. */
  readonly meaning: string
  /** Part of it comes later: it needs no test yet. */
  readonly isLater: boolean
}

/** Ids with the files whose tests name them. */
export type Tested = ReadonlyMap<string, readonly string[]>

export interface SideCount {
  readonly side: Clause["side"]
  readonly level: Clause["level"]
  readonly clauses: number
  readonly tested: number
  /** Recorded as not done, or hanging on what is. */
  readonly undone: number
  readonly missing: number
}

export function parseSpec(markdown: string): { clauses: Map<string, Clause>; problems: string[] }
export function parseQuirks(markdown: string): { quirks: Map<string, Quirk>; problems: string[] }
export function titledIds(source: string): string[]
export function titledQuirks(source: string): string[]
export function findProblems(clauses: ReadonlyMap<string, Clause>, tested: Tested): string[]
export function countBySide(clauses: ReadonlyMap<string, Clause>, tested: Tested): SideCount[]
export function findQuirkProblems(quirks: ReadonlyMap<string, Quirk>, tested: Tested): string[]
