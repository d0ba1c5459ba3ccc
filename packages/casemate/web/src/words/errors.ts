import { ApiError } from "../api.js"

/** Whoever is at the page chose not to go on: nothing to say about it. */
export class Cancelled extends Error {}

/** What went wrong, as a sentence; undefined where there is nothing to say. */
export function errorWords(error: unknown): string | undefined {
  if (error instanceof Cancelled) return undefined
  if (error instanceof ApiError) return error.message
  switch (error instanceof Error ? error.name : undefined) {
    case "NotAllowedError":
    case "AbortError":
      return "No passkey was used: it was cancelled, or took too long. You can try again."
    case "InvalidStateError":
      return "This device has a passkey for this bunker already."
    case "SecurityError":
      return "Passkeys do not work at this address. Open the page under its name, not under a number, with https or at localhost."
    case "NotSupportedError":
    case "ConstraintError":
      return "This device cannot make such a passkey. Try another device, or use a password and an authenticator app."
    default:
      return "Something failed in this page. Load it again; if it goes on, this browser may be too old for it."
  }
}
