import type * as v from "valibot"
import { describe, expectTypeOf, it } from "vitest"
import type { SessionKeys, WebCall, WebCalls } from "../../../channel/web-calls.js"
import type { API_ROUTES } from "./api-routes.js"

/** Schemas of valibot know no readonly. */
type Plain<T> = T extends object ? { -readonly [K in keyof T]: Plain<T[K]> } : T

/** The keys of a session part in the gateway. */
type InPage<R> = R extends { readonly keys: SessionKeys } ? Omit<R, "keys"> & { token: string } : R

type Routes = typeof API_ROUTES
type OutputOf<S> = S extends v.GenericSchema<infer _, infer Output> ? Output : Record<never, never>
type ParamOf<Path> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParamOf<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never
type PartOf<R, Name extends string> = R extends { readonly [N in Name]: infer S } ? OutputOf<S> : Record<never, never>
type ArgsOf<R> = R extends { readonly path: infer Path }
  ? PartOf<R, "body"> & PartOf<R, "query"> & { [N in ParamOf<Path>]: string }
  : never

/** Both ways, and no key more or less, so that an optional one is not forgotten. */
type Same<A, B> = [A, B, KeysOf<A>] extends [B, A, KeysOf<B>] ? ([KeysOf<B>] extends [KeysOf<A>] ? true : false) : false
type KeysOf<T> = T extends readonly (infer Item)[] ? KeysOf<Item> : T extends object ? DeepKeys<T> : never
type DeepKeys<T> = { [K in keyof T & string]-?: K | `${K}.${KeysOf<T[K]> & string}` }[keyof T & string]

type Wrong<Judged extends { [C in WebCall]: boolean }> = { [C in WebCall]: Judged[C] extends true ? never : C }[WebCall]

describe("the schemas of the API", () => {
  it("are the types of the channel", () => {
    type Results = {
      [C in WebCall]: Same<Plain<InPage<WebCalls[C]["result"]>>, Plain<OutputOf<Routes[C]["result"]>>>
    }
    type Args = { [C in WebCall]: Same<Plain<WebCalls[C]["args"]>, Plain<ArgsOf<Routes[C]>>> }
    expectTypeOf<Wrong<Results>>().toEqualTypeOf<never>()
    expectTypeOf<Wrong<Args>>().toEqualTypeOf<never>()
  })

  it("are told from others", () => {
    expectTypeOf<Same<{ a: string }, { a: string }>>().toEqualTypeOf<true>()
    expectTypeOf<Same<{ a: { b?: number }[] }, { a: Record<never, never>[] }>>().toEqualTypeOf<false>()
    expectTypeOf<Same<{ a: string | undefined }, { a: string }>>().toEqualTypeOf<false>()
    expectTypeOf<Same<{ a: string }, { a: "x" }>>().toEqualTypeOf<false>()
  })
})
