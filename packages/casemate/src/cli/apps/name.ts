import type { AppInfo } from "../../channel/owner-calls.js"
import { quoted } from "../output.js"

/** What an app calls itself is its own claim, so it is always shown as one. */
export function nameOf({ name, clientPubkey }: AppInfo): string {
  if (name !== "") return quoted(name)
  return clientPubkey === undefined ? "(nobody yet)" : "(no name)"
}

/** With its id, which tells it from others of that name. */
export function titleOf(app: AppInfo): string {
  return `${nameOf(app)} (${app.id})`
}
