import { isAbsolute, relative, resolve, sep } from "node:path"
import { normalizeRelayUrl } from "@casemate/nip46/protocol"
import { defaultConfigDir, defaultDataDir } from "./folders.js"
import { UserError } from "./user-error.js"
import { parseWebhook, type WebhookConfig, type WebhookInput } from "./webhook.js"

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "silent"] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Which curve the processes use: the system's libsecp256k1, WebAssembly, or JavaScript. */
export const CURVES = ["native", "wasm", "portable"] as const
export type Curve = (typeof CURVES)[number]

/** Where the HTTP server listens. Port 0 lets the system pick one. */
export interface HttpAddress {
  readonly host: string
  readonly port: number
}

/** Everything that the processes are told, decided once. No secret of ours is in it. */
export interface Config {
  /** Absolute. */
  readonly dataDir: string
  /** Absolute; never inside `dataDir`. */
  readonly configDir: string
  readonly http: HttpAddress
  /** Normalised; empty: the built-in relay. */
  readonly relays: readonly string[]
  /** Origin under which the HTTP server is reached from elsewhere, without a trailing slash. */
  readonly publicUrl: string | undefined
  /** Undefined: nobody is told that something waits. */
  readonly webhook: WebhookConfig | undefined
  readonly logLevel: LogLevel
  /** Undefined: the fastest that is here. */
  readonly curve: Curve | undefined
}

/** What a person typed. */
export interface ConfigInput extends WebhookInput {
  readonly dataDir?: string
  readonly http?: string
  readonly relay?: readonly string[]
  readonly publicUrl?: string
}

/** A token names no more. */
const MAX_RELAYS = 10

export const DEFAULT_HTTP: HttpAddress = { host: "localhost", port: 4646 }

/**
 * Turns flags and environment into the one frozen configuration.
 *
 * @throws UserError that names the flag and what it takes
 */
export function parseConfig(
  input: ConfigInput,
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): Config {
  const dataDir = parseDataDir(input.dataDir, env, platform)
  const configDir = resolve(defaultConfigDir(env, platform))
  if (isInside(configDir, dataDir)) {
    throw new UserError(
      `the configuration folder ${configDir} lies in the data folder, so one stolen copy would hold both the keys and what opens them; set CASEMATE_CONFIG_DIR to another place`,
    )
  }
  return Object.freeze({
    dataDir,
    configDir,
    http: input.http === undefined ? DEFAULT_HTTP : parseHttp(input.http),
    relays: Object.freeze(parseRelays(input.relay ?? [])),
    publicUrl: input.publicUrl === undefined ? undefined : parsePublicUrl(input.publicUrl),
    webhook: parseWebhook(input, env),
    logLevel: parseLogLevel(env["CASEMATE_LOG_LEVEL"]),
    curve: parseCurve(env["CASEMATE_CRYPTO"]),
  })
}

/** The data folder alone: what talks to a bunker that runs needs no more. @throws UserError */
export function parseDataDir(
  text: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (text === "") throw new UserError("--data-dir takes a folder, not an empty text")
  return resolve(text ?? defaultDataDir(env, platform))
}

export function parseHttp(text: string): HttpAddress {
  const match = /^(?:(?<host>\[[0-9a-f:.]+\]|[a-z0-9.-]+):)?(?<port>\d{1,5})$/i.exec(text.trim())
  const port = Number(match?.groups?.["port"])
  if (match === null || port > 65_535) {
    throw new UserError(`--http takes HOST:PORT, such as localhost:4646, not ${JSON.stringify(text)}`)
  }
  return { host: (match.groups?.["host"] ?? DEFAULT_HTTP.host).replace(/^\[|\]$/g, ""), port }
}

export function parseRelays(texts: readonly string[]): string[] {
  if (texts.length > MAX_RELAYS) throw new UserError(`--relay may be given at most ${MAX_RELAYS} times`)
  return texts.map(parseRelay)
}

function parseRelay(text: string): string {
  const url = normalizeRelayUrl(text)
  if (url === undefined) {
    throw new UserError(
      `--relay takes a ws:// or wss:// URL, such as wss://relay.example.com, not ${JSON.stringify(text)}`,
    )
  }
  return url
}

function parsePublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== "" ||
    url.password !== "" ||
    /\/\/./.test(url.pathname) ||
    url.search !== "" ||
    url.hash !== ""
  ) {
    throw new UserError(
      `--public-url takes an https:// URL, such as https://bunker.example.com, not ${JSON.stringify(text)}`,
    )
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`
}

function parseLogLevel(text: string | undefined): LogLevel {
  if (text === undefined || text === "") return "warn"
  const level = LOG_LEVELS.find((known) => known === text)
  if (level === undefined) {
    throw new UserError(`CASEMATE_LOG_LEVEL takes one of ${LOG_LEVELS.join(", ")}, not ${JSON.stringify(text)}`)
  }
  return level
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

function parseCurve(text: string | undefined): Curve | undefined {
  if (text === undefined || text === "") return undefined
  const curve = CURVES.find((known) => known === text)
  if (curve === undefined) {
    throw new UserError(`CASEMATE_CRYPTO takes ${CURVES.join(", ")}, or nothing, not ${JSON.stringify(text)}`)
  }
  return curve
}
