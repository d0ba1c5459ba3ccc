type Schema = Readonly<Record<string, unknown>>

/** Those that say nothing of the shape. */
const ANNOTATIONS = ["description"]

/**
 * What is wrong with a value by a schema of JSON Schema 2020-12; empty when nothing is. Knows the keywords that our
 * document has, and throws at any other, so that none is passed over.
 *
 * @param resolve a `$ref`
 */
export function schemaFlaws(value: unknown, schema: unknown, resolve: (ref: string) => unknown, at = "$"): string[] {
  if (typeof schema === "boolean") return schema ? [] : [`${at}: nothing may be here`]
  const flaws: string[] = []
  const check = (holds: boolean, what: string): void => void (holds || flaws.push(`${at}: ${what}`))
  const within = (inner: unknown, innerSchema: unknown, where: string): void =>
    void flaws.push(...schemaFlaws(inner, innerSchema, resolve, `${at}${where}`))
  const fits = (option: unknown): boolean => schemaFlaws(value, option, resolve, at).length === 0

  for (const [keyword, rule] of Object.entries(schema as Schema)) {
    switch (keyword) {
      case "$ref":
        within(value, resolve(rule as string), "")
        break
      case "type":
        check(typeOf(value) === rule || (rule === "number" && typeOf(value) === "integer"), `is no ${String(rule)}`)
        break
      case "enum":
        check((rule as unknown[]).includes(value), "is none of the enum")
        break
      case "const":
        check(value === rule, `is not ${String(rule)}`)
        break
      case "minimum":
        check(typeof value !== "number" || value >= (rule as number), `is less than ${String(rule)}`)
        break
      case "maximum":
        check(typeof value !== "number" || value <= (rule as number), `is more than ${String(rule)}`)
        break
      case "minItems":
        check(!Array.isArray(value) || value.length >= (rule as number), "has too few items")
        break
      case "anyOf":
        check((rule as unknown[]).some(fits), "fits nothing of anyOf")
        break
      case "oneOf":
        check((rule as unknown[]).filter(fits).length === 1, "fits not one of oneOf")
        break
      case "items":
        if (Array.isArray(value)) {
          const from = ((schema as Schema)["prefixItems"] as unknown[] | undefined)?.length ?? 0
          for (const [n, item] of value.entries()) if (n >= from) within(item, rule, `[${n}]`)
        }
        break
      case "prefixItems":
        if (Array.isArray(value))
          for (const [n, item] of value.entries()) within(item, (rule as unknown[])[n] ?? true, `[${n}]`)
        break
      case "required":
        for (const name of rule as string[]) check(!isObject(value) || Object.hasOwn(value, name), `lacks ${name}`)
        break
      case "properties":
        if (isObject(value))
          for (const [name, inner] of Object.entries(rule as Schema)) {
            if (Object.hasOwn(value, name)) within(value[name], inner, `.${name}`)
          }
        break
      case "additionalProperties":
        if (isObject(value))
          for (const [name, inner] of Object.entries(value)) {
            if (!Object.hasOwn((schema as Schema)["properties"] ?? {}, name)) within(inner, rule, `.${name}`)
          }
        break
      case "propertyNames":
        if (isObject(value)) for (const name of Object.keys(value)) within(name, rule, `.${name}`)
        break
      default:
        if (!ANNOTATIONS.includes(keyword)) throw new Error(`the keyword ${keyword} is not known here`)
    }
  }
  return flaws
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function typeOf(value: unknown): string {
  if (value === null) return "null"
  if (Array.isArray(value)) return "array"
  return Number.isInteger(value) ? "integer" : typeof value
}
