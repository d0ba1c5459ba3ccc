import { isPrivateAddress } from "@casemate/nip46/protocol"
import { UserError } from "./user-error.js"

/** Where owners are told that something waits. */
export interface WebhookConfig {
  /** As its owner gave it. May hold a secret, so that only its host is logged. */
  readonly url: string
  /** Whether a notice names the app and what it asks for. */
  readonly details: boolean
}

export interface WebhookInput {
  readonly webhook?: string
  readonly webhookDetails?: boolean
}

/** Names that lead nowhere else: those of this machine, of containers, and of home networks. */
const NEARBY = /^[^.]+$|\.(?:localhost|local|internal|home\.arpa)$/

/** @throws UserError that does not show the URL: it may hold a secret */
export function parseWebhook(
  { webhook, webhookDetails = false }: WebhookInput,
  env: NodeJS.ProcessEnv,
): WebhookConfig | undefined {
  const text = webhook ?? env["CASEMATE_WEBHOOK"] ?? ""
  if (text === "" && webhook === undefined) {
    if (webhookDetails) throw new UserError("--webhook-details goes with --webhook, which says where notices are sent")
    return undefined
  }
  const named = webhook === undefined ? "CASEMATE_WEBHOOK" : "--webhook"
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || !isDecodable(url.username + url.password)) {
    throw new UserError(`${named} takes an https:// URL, such as https://ntfy.example.com/topic`)
  }
  if (url.protocol === "http:" && !isNearby(url.hostname)) {
    throw new UserError(
      `${named} takes https:// for ${url.hostname}: http:// is for this machine and private networks, as what it carries can be read on the way`,
    )
  }
  return Object.freeze({ url: url.href, details: webhookDetails })
}

function isNearby(hostname: string): boolean {
  return isPrivateAddress(hostname) || NEARBY.test(hostname)
}

/** Name and password become a header of the request. */
function isDecodable(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined
  } catch {
    return false
  }
}
