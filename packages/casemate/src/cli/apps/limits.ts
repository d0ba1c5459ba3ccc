import { type Command, Option } from "commander"
import type { GrantArgs } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"
import { collect, parseDuration, parseRate, parseUntil } from "../options.js"

export interface LimitOptions {
  for?: number
  until?: number
  uses?: number
  rate?: { uses: number; seconds: number }
  with?: string[]
  tag?: [string, string][]
  host?: string
  action?: string
  d?: string
  maxLength?: number
  deny?: boolean
}

export function withLimits(command: Command): Command {
  return command
    .addOption(
      new Option("--for <time>", "for so long from now: 90s, 10m, 1h, 7d")
        .argParser((text) => parseDuration(text, "--for"))
        .conflicts("until"),
    )
    .option("--until <time>", "until then: 2030-12-31, which ends with that day, or 2030-12-31T18:00", parseUntil)
    .option("--uses <n>", "so many times in all", (text) => parseCount(text, "--uses"))
    .option(
      "--rate <n/unit>",
      "at most so many times in any second, minute, hour or day: 1/s, 5/m, 20/h, 100/d",
      parseRate,
    )
    .option(
      "--with <key>",
      "encrypt and decrypt: only with this public key, npub or hex; may be given several times",
      collect,
    )
    .option(
      "--tag <name=value>",
      "sign_event: only what has this tag; may be given several times, and then has all",
      collectTag,
    )
    .option("--host <host>", "logins: only at this host, such as api.example.com")
    .option("--action <word>", "logins: only to do this, such as GET, or upload at a media server")
    .option("--d <prefix>", "sign_event: only what has a name (d tag) that begins so")
    .option("--max-length <bytes>", "sign_event: only texts of at most so many bytes", (text) =>
      parseCount(text, "--max-length"),
    )
    .option("--deny", "never, whatever else is granted")
}

/** The limits as keyd takes them. @param now unix seconds */
export function limitsOf(options: LimitOptions, now: number): Omit<GrantArgs, "id" | "perms"> {
  const { uses, rate, with: counterparties, tag: tags, host, action, d: dPrefix, maxLength: maxContentBytes } = options
  const expiresAt = options.for === undefined ? options.until : now + options.for
  const given = { expiresAt, uses, rate, counterparties, tags, host, action, dPrefix, maxContentBytes }
  const limits = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  return options.deny === true ? { ...limits, deny: true } : limits
}

function collectTag(text: string, earlier: [string, string][] | undefined): [string, string][] {
  const at = text.indexOf("=")
  if (at > 0) return [...(earlier ?? []), [text.slice(0, at), text.slice(at + 1)]]
  throw new UserError(`--tag takes NAME=VALUE, such as t=nostr, not ${JSON.stringify(text.slice(0, 40))}`)
}

function parseCount(text: string, flag: string): number {
  if (/^\d{1,12}$/.test(text.trim())) return Number(text)
  throw new UserError(`${flag} takes a whole number, not ${JSON.stringify(text.slice(0, 40))}`)
}
