import { createHash } from "node:crypto"
import { type ConversionConfig, type JsonSchema, toJsonSchema, toJsonSchemaDefs } from "@valibot/to-json-schema"
import * as v from "valibot"
import type { WebCall } from "../../../channel/web-calls.js"
import { SESSION_HEADER } from "../session-cookie.js"
import { ERROR_STATUS } from "./api-error.js"
import { apiRoutes } from "./api-routes.js"
import { RESULT_DEFINITIONS } from "./result-schemas.js"
import { type ApiRoute, bodyOf, paramsOf, proof, queryOf } from "./route.js"

const API_VERSION = "1.0.0"
const JSON_TYPE = "application/json"

const error = v.object({
  error: v.object({
    code: v.picklist(Object.keys(ERROR_STATUS)),
    message: v.pipe(v.string(), v.description("A sentence for whoever asked")),
  }),
})
const DEFINITIONS = { ...RESULT_DEFINITIONS, Proof: proof, Error: error }

const CONVERSION: ConversionConfig = {
  target: "draft-2020-12",
  errorMode: "throw",
  overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  // JSON has no undefined: what may be undefined may be absent.
  overrideSchema: ({ valibotSchema, jsonSchema }) => {
    if (!("entries" in valibotSchema)) return undefined
    const entries = valibotSchema.entries as v.ObjectEntries
    const required = (jsonSchema.required ?? []).filter((name) => entries[name]?.type !== "undefinedable")
    return { ...jsonSchema, required }
  },
}

/** The OpenAPI document, for each name of a session's cookie. */
export function describeApi(): (cookieName: string) => { readonly text: string; readonly etag: string } {
  const written = new Map<string, { text: string; etag: string }>()
  return (cookieName) => {
    const known = written.get(cookieName)
    if (known !== undefined) return known
    const text = `${JSON.stringify(openApiDocument(cookieName))}\n`
    const made = { text, etag: `"${createHash("sha256").update(text).digest("base64url").slice(0, 22)}"` }
    written.set(cookieName, made)
    return made
  }
}

export function openApiDocument(cookieName: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const [call, route] of apiRoutes()) {
    const path = route.path.replace(/:(\w+)/g, "{$1}")
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(call, route) }
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Casemate",
      version: API_VERSION,
      summary: "What an owner may do in a browser: see what waits and decide it, see and limit apps, sign in and out.",
      description:
        "For pages of the bunker's own origin: what may change something carries Origin, or Sec-Fetch-Site: same-origin, " +
        `and no other site may ask. A session is two halves, and both are needed: a cookie, and the token for ${SESSION_HEADER}. ` +
        "Where a call answers proof_needed, it is sent again with a proof in its body.",
    },
    servers: [{ url: "v1", description: "Beside this document" }],
    paths,
    components: {
      schemas: toJsonSchemaDefs(DEFINITIONS, CONVERSION),
      responses: { Error: { description: "Another outcome, by its code", content: content(error) } },
      securitySchemes: {
        cookie: { type: "apiKey", in: "cookie", name: cookieName },
        token: { type: "apiKey", in: "header", name: SESSION_HEADER },
      },
    },
  }
}

function operation(call: WebCall, route: ApiRoute): object {
  const body = bodyOf(call, route)
  const required = Object.values(body.entries).some(({ type }) => type !== "exact_optional")
  const hasBody = Object.keys(body.entries).length > 0
  const status = route.opens === true ? "201" : "200"
  return {
    operationId: call,
    summary: route.summary,
    tags: [call.split(".", 1)[0]],
    security: route.session ? [{ cookie: [], token: [] }] : [],
    ...optional("parameters", [...pathParameters(route), ...queryParameters(route)]),
    ...(hasBody ? { requestBody: { required, content: content(body) } } : {}),
    responses: {
      [status]: { description: "Done", content: content(route.result) },
      default: { $ref: "#/components/responses/Error" },
    },
  }
}

function pathParameters({ path }: ApiRoute): object[] {
  return paramsOf(path).map((name) => ({ name, in: "path", required: true, schema: { type: "string" } }))
}

function queryParameters(route: ApiRoute): object[] {
  return Object.entries(queryOf(route).entries).map(([name, entry]) => ({
    name,
    in: "query",
    required: entry.type !== "exact_optional",
    schema: schemaOf(entry as v.GenericSchema),
  }))
}

function content(schema: v.GenericSchema): object {
  return { [JSON_TYPE]: { schema: schemaOf(schema) } }
}

/** With references to the components in place of what they define. */
function schemaOf(schema: v.GenericSchema): JsonSchema {
  const { $defs: _, $schema: __, ...rest } = toJsonSchema(schema, { ...CONVERSION, definitions: DEFINITIONS })
  return rest
}

function optional(name: string, list: readonly object[]): object {
  return list.length === 0 ? {} : { [name]: list }
}
