import * as v from "valibot"
import type { Proof, WebCall } from "../../../channel/web-calls.js"

type Entries = v.StrictObjectSchema<v.ObjectEntries, undefined>

/**
 * One way to one call. The args are what the body and the query have, and what stands in the path as `:name`.
 * Shapes are structural: what a text must hold is keyd's to say, in its words.
 */
export interface ApiRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  /** Below /api/v1. */
  readonly path: string
  readonly summary: string
  /** Undefined: no args in the body. */
  readonly body?: Entries
  /** Whole numbers alone. */
  readonly query?: Entries
  readonly result: v.GenericSchema
  /** False: anybody's. */
  readonly session: boolean
  /** Answers with a session that it makes: 201, and a cookie. */
  readonly opens?: boolean
}

/** Calls that may want to know that it is the owner, and now. Beyond those that end something, all that change it. */
export const PROVABLE_CALLS = [
  "owner.addPasskey",
  "owner.removePasskey",
  "owner.totp",
  "owner.setPassword",
  "owner.recoveryCodes",
  "apps.revoke",
  "apps.grant",
  "apps.ungrant",
  "apps.preset",
  "apps.extend",
  "apps.pause",
  "apps.resume",
  "apps.style",
  "requests.approve",
  "requests.deny",
] as const satisfies readonly WebCall[]

export function isProvable(call: WebCall): boolean {
  return PROVABLE_CALLS.some((provable) => provable === call)
}

export const proof: v.GenericSchema<Proof> = v.variant("kind", [
  v.strictObject({ kind: v.literal("passkey"), response: v.record(v.string(), v.unknown()) }),
  v.strictObject({ kind: v.literal("password"), password: v.string(), code: v.string() }),
])

const none = v.strictObject({})

/** The body that a route takes, proof and all. */
export function bodyOf(call: WebCall, { body = none }: ApiRoute): Entries {
  return isProvable(call) ? v.strictObject({ ...body.entries, proof: v.exactOptional(proof) }) : body
}

export function queryOf({ query = none }: ApiRoute): Entries {
  return query
}

export function paramsOf(path: string): string[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name)
}
