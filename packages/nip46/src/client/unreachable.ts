import { Nip46Error } from "../protocol/errors.js"

export interface Unreachable {
  /** What did not come about, as the beginning of the sentence. */
  readonly what: string
  /** What the app can do besides looking at the network. */
  readonly advice: string
  /** By relay, why. */
  readonly relays: Readonly<Record<string, string>>
  readonly method?: string
}

/** No relay does what is needed; each says why. */
export function unreachable({ what, advice, relays, method }: Unreachable): Nip46Error {
  const listed = Object.entries(relays).map(([relay, reason]) => `${relay} (${reason})`)
  const message = `${what}: ${listed.join(", ")}; check the network, or ${advice}`
  const details = method === undefined ? { relays } : { method, relays }
  return new Nip46Error("RELAYS_UNREACHABLE", message, { details })
}
