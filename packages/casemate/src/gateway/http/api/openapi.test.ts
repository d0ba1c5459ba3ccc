import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type ConsoleBench, openConsole, WEB_ARGS } from "../../../../test/support/console-bench.js"
import { schemaFlaws } from "../../../../test/support/json-schema.js"
import { WEB_RESULTS } from "../../../../test/support/web-results.js"
import type { NewSession, WebCall } from "../../../channel/web-calls.js"
import { apiRoutes } from "./api-routes.js"
import { openApiDocument } from "./openapi.js"
import { type ApiRoute, isProvable, paramsOf } from "./route.js"

type Node = Readonly<Record<string, unknown>>
interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly tags: readonly string[]
  readonly security: readonly Node[]
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required: boolean
    readonly schema: Node
  }[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, Node>>
}
interface Content {
  readonly "application/json": { readonly schema: Node }
}
interface Document {
  readonly openapi: string
  readonly info: Node
  readonly servers: readonly { readonly url: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: Readonly<Record<string, Node>>
}

const document = JSON.parse(JSON.stringify(openApiDocument("casemate-4646"))) as Document
const routes = apiRoutes() as readonly (readonly [WebCall, ApiRoute])[]

function resolve(ref: string): unknown {
  expect(ref).toMatch(/^#\//)
  return ref
    .slice(2)
    .split("/")
    .reduce<unknown>((node, name) => (node as Node | undefined)?.[name], document)
}

function operationOf([, { method, path }]: readonly [WebCall, ApiRoute]): Operation {
  const operation = document.paths[path.replace(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()]
  if (operation === undefined) throw new Error(`${method} ${path} is not in the document`)
  return operation
}

function refsIn(node: unknown): string[] {
  if (typeof node !== "object" || node === null) return []
  return Object.entries(node).flatMap(([name, inner]) => (name === "$ref" ? [inner as string] : refsIn(inner)))
}

const flawsOf = (value: unknown, schema: unknown): string[] =>
  schemaFlaws(JSON.parse(JSON.stringify(value)), schema, resolve)

describe("the OpenAPI document", () => {
  it("has the shape of one", () => {
    expect(document.openapi).toBe("3.1.0")
    expect(Object.keys(document).sort()).toEqual(["components", "info", "openapi", "paths", "servers"])
    expect(document.info).toMatchObject({
      title: "Casemate",
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
    })
    expect(new URL(document.servers[0]?.url ?? "", "https://bunker.example/bunker/api/openapi.json").pathname).toBe(
      "/bunker/api/v1",
    )
    expect(document.components["securitySchemes"]).toEqual({
      cookie: { type: "apiKey", in: "cookie", name: "casemate-4646" },
      token: { type: "apiKey", in: "header", name: "x-casemate-session" },
    })
    for (const name of Object.keys(document.components["schemas"] ?? {})) expect(name).toMatch(/^[A-Za-z]+$/)
  })

  it("refers to nothing that it does not have", () => {
    const refs = refsIn(document)
    expect(new Set(refs).size).toBeGreaterThan(10)
    expect(refs.filter((ref) => resolve(ref) === undefined)).toEqual([])
  })

  it("has every route, and no other", () => {
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path))
    expect(operations.map(({ operationId }) => operationId).sort()).toEqual(routes.map(([call]) => call).sort())
    for (const entry of routes) {
      const [call, route] = entry
      const { parameters = [], security, requestBody, responses, ...operation } = operationOf(entry)
      expect(operation).toMatchObject({ operationId: call, summary: expect.stringMatching(/^[A-Z]/) as string })
      expect([call, security]).toEqual([call, route.session ? [{ cookie: [], token: [] }] : []])
      expect(parameters.filter((one) => one.in === "path").map(({ name, required }) => [name, required])).toEqual(
        paramsOf(route.path).map((name) => [name, true]),
      )
      expect(Object.keys(responses)).toEqual([route.opens === true ? "201" : "200", "default"])
      if (route.method === "GET") expect(requestBody).toBeUndefined()
    }
  })

  it.each(routes)("takes the args of %s, and nothing besides", (...entry) => {
    const [call, route] = entry
    const { parameters = [], requestBody } = operationOf(entry)
    const args: Record<string, unknown> = { ...WEB_ARGS[call] }
    for (const { name, schema } of parameters) {
      expect(flawsOf(args[name], schema)).toEqual([])
      delete args[name]
    }
    const schema = requestBody?.content["application/json"].schema ?? { type: "object", additionalProperties: false }
    expect(flawsOf(args, schema)).toEqual([])
    expect(flawsOf({ ...args, another: 1 }, schema)).not.toEqual([])
    for (const name of Object.keys(route.body?.entries ?? {}).filter((one) => one in args)) {
      const { [name]: _, ...others } = args
      const isOptional = route.body?.entries[name]?.type === "exact_optional"
      expect([name, flawsOf(others, schema).length === 0]).toEqual([name, isOptional])
    }
    const proof = { kind: "passkey", response: {} }
    expect(flawsOf({ ...args, proof }, schema).length === 0).toBe(isProvable(call))
    expect(requestBody?.required ?? false).toBe(Object.keys(args).length > 0)
  })

  it.each(routes)("has what %s answers", (...entry) => {
    const [call, route] = entry
    const result = WEB_RESULTS[call]
    const { keys, ...info } = result as NewSession
    const answer = route.opens === true ? { ...info, token: keys.token } : result
    const { content } = operationOf(entry).responses[route.opens === true ? "201" : "200"] as unknown as {
      content: Content
    }
    expect(flawsOf(answer, content["application/json"].schema)).toEqual([])
    expect(flawsOf("another", content["application/json"].schema)).not.toEqual([])
  })
})

describe("GET /api/openapi.json", () => {
  let bench: ConsoleBench
  beforeEach(async () => {
    bench = await openConsole()
  })
  afterEach(() => bench.close())
  const path = "/api/openapi.json"

  it("is anybody's who opens it, and no other page's", async () => {
    const reply = await bench.send({ path, headers: { "sec-fetch-site": "none" } })
    expect(reply.json()).toEqual(JSON.parse(JSON.stringify(openApiDocument(`casemate-${bench.port}`))))
    expect(reply.headers["content-type"]).toBe("application/json; charset=utf-8")
    expect((await bench.send({ path, headers: { "sec-fetch-site": "cross-site" } })).status).toBe(403)
    expect((await bench.send({ path: "/api/v1/session", headers: { "sec-fetch-site": "none" } })).status).toBe(403)
    expect((await bench.send({ path, method: "POST", headers: { origin: bench.origin } })).status).toBe(405)
  })

  it("is not sent again while it is the same", async () => {
    const { headers } = await bench.send({ path })
    expect(headers["cache-control"]).toBe("no-cache")
    const again = await bench.send({ path, headers: { "if-none-match": headers.etag } })
    expect([again.status, again.text, again.headers.etag]).toEqual([304, "", headers.etag])
    expect((await bench.send({ path, headers: { "if-none-match": '"x"' } })).status).toBe(200)
  })

  it("describes an error as they come", async () => {
    const reply = await bench.send({ path: "/api/v1/nothing" })
    expect(flawsOf(reply.json(), { $ref: "#/components/schemas/Error" })).toEqual([])
  })
})
