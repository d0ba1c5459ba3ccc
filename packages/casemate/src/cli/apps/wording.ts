import type { Wording } from "../../channel/grant-words.js"
import { npub, quoted, when } from "../output.js"

/** How words about grants are shown on a terminal. */
export function terminalWording(): Wording {
  return { now: Math.floor(Date.now() / 1000), when, npub, quoted }
}
