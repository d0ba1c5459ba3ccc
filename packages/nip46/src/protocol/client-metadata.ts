/** What a client says of itself (NIP-46 §Client metadata): a display hint, unauthenticated. */
export interface ClientMetadata {
  readonly name?: string
  readonly url?: string
  readonly image?: string
}

const FIELD_CHARS = { name: 128, url: 1_024, image: 2_048 } as const

/**
 * Reads metadata from anyone's object: known fields that are non-empty strings are kept, cut to a
 * sane length; `icon` stands in for `image` and `description` is dropped. Never throws.
 *
 * @example
 * readClientMetadata({ name: "Notes", icon: "https://notes.example/i.png" })
 * // { name: "Notes", image: "https://notes.example/i.png" }
 */
export function readClientMetadata(value: unknown): ClientMetadata {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {}
  const raw = value as Record<string, unknown>
  const metadata: { name?: string; url?: string; image?: string } = {}
  for (const field of ["name", "url", "image"] as const) {
    const text = textOf(raw, field) ?? (field === "image" ? textOf(raw, "icon") : undefined)
    if (text !== undefined) metadata[field] = cut(text, FIELD_CHARS[field])
  }
  return metadata
}

/** The same from the JSON string that `connect` carries as its fourth param. Unreadable JSON gives `{}`. */
export function parseClientMetadata(json: string | undefined): ClientMetadata {
  if (json === undefined || json === "") return {}
  try {
    return readClientMetadata(JSON.parse(json))
  } catch {
    return {}
  }
}

function textOf(raw: Record<string, unknown>, field: string): string | undefined {
  const value = Object.hasOwn(raw, field) ? raw[field] : undefined
  if (typeof value !== "string") return undefined
  const text = value.trim()
  return text === "" ? undefined : text
}

/** Never through the middle of a character: half of one is no text that a database keeps. */
function cut(text: string, chars: number): string {
  return text.slice(0, chars).replace(/[\ud800-\udbff]$/, "")
}
