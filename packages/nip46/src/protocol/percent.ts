import { attempt } from "./attempt.js"

export function isPercentEncoded(text: string): boolean {
  return attempt(() => decodeURIComponent(text)) !== undefined
}

/** A stray % is somebody's literal percent sign: the text is taken as it stands. */
export function percentDecode(text: string): string {
  return attempt(() => decodeURIComponent(text)) ?? text
}
