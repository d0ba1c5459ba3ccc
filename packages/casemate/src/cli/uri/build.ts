import type { CryptoBackend } from "@casemate/nip46/crypto"
import { buildBunkerToken, buildNostrconnectToken, parsePermissions } from "@casemate/nip46/protocol"
import { Command } from "commander"
import { printJson } from "../output.js"
import { UsageError } from "../usage.js"
import { asTypedWrong, collectList, drawQr, newSecret, parsePubkey, parseRelayList } from "./parts.js"
import { contentOf, inspect, loadBackend, showFindings } from "./report.js"

const RELAYS = "where to meet: ws:// or wss:// URLs with commas between them; may be given several times"

interface BunkerOptions {
  pubkey: string
  relays: string[]
  secret?: string
  newSecret?: boolean
  qr?: boolean
}

export function bunkerCommand(): Command {
  return new Command("bunker")
    .summary("build a bunker:// token")
    .description(
      "Builds the bunker:// token of a remote signer, for tests and for signers that print none. Nothing is stored and no bunker is asked: one of Casemate's own prints its tokens with `casemate pair`. A secret on the command line is seen by other programs; prefer --new-secret.",
    )
    .requiredOption("--pubkey <key>", "the remote signer's public key, npub or hex")
    .requiredOption("--relays <urls>", RELAYS, collectList)
    .option("--secret <text>", "the secret that lets one app in")
    .option("--new-secret", "make a secret of 128 random bits")
    .option("--qr", "draw the token as a QR code on stderr")
    .addHelpText(
      "after",
      `
Output:
  {"uri":…,"remoteSignerPubkey":…,"relays":[…],"secret":…}

Examples:
  $ casemate uri bunker --pubkey npub1… --relays wss://relay.example.com --new-secret
  $ casemate uri bunker --pubkey npub1… --relays wss://a.example,wss://b.example --new-secret --qr`,
    )
    .action(async (options: BunkerOptions) => {
      if (options.secret !== undefined && options.newSecret === true) {
        throw new UsageError("--secret and --new-secret were given; give one of them")
      }
      const backend = await loadBackend()
      const remoteSignerPubkey = parsePubkey(options.pubkey, backend)
      const relays = parseRelayList(options.relays)
      const secret = options.newSecret === true ? newSecret() : options.secret
      show(
        asTypedWrong(() => buildBunkerToken({ remoteSignerPubkey, relays, secret })),
        { backend, qr: options.qr === true },
      )
    })
}

interface NostrconnectOptions {
  relays: string[]
  name?: string
  url?: string
  image?: string
  perms?: string
  qr?: boolean
}

export function nostrconnectCommand(): Command {
  return new Command("nostrconnect")
    .summary("build a nostrconnect:// token, with a new client key")
    .description(
      "Builds the nostrconnect:// token that an app shows to a bunker. It makes a new client keypair and a new secret of 128 random bits. Whoever has the clientSecretKey is the app: keep it for as long as the connection lasts, and show the uri alone.",
    )
    .requiredOption("--relays <urls>", RELAYS, collectList)
    .option("--name <name>", "what the app is called")
    .option("--url <url>", "its website")
    .option("--image <url>", "its picture")
    .option("--perms <list>", "what it asks for, such as sign_event:1,nip44_encrypt")
    .option("--qr", "draw the token as a QR code on stderr")
    .addHelpText(
      "after",
      `
Output:
  {"uri":…,"clientPubkey":…,"clientSecretKey":…,"relays":[…],"secret":…,"perms":[…],"name":…,"url":…,"image":…}

Examples:
  $ casemate uri nostrconnect --relays wss://relay.example.com --name Notes
  $ casemate uri nostrconnect --relays wss://a.example,wss://b.example --perms sign_event:1,nip44_encrypt --qr`,
    )
    .action(async ({ name, url, image, ...options }: NostrconnectOptions) => {
      const relays = parseRelayList(options.relays)
      const permissions = asTypedWrong(() => parsePermissions(options.perms ?? ""))
      const backend = await loadBackend()
      const clientKey = backend.generateSecretKey()
      const clientPubkey = backend.keypair(clientKey).pubkey
      const app = {
        ...(name === undefined ? {} : { name }),
        ...(url === undefined ? {} : { url }),
        ...(image === undefined ? {} : { image }),
      }
      const uri = asTypedWrong(() =>
        buildNostrconnectToken({ clientPubkey, relays, secret: newSecret(), permissions, app }),
      )
      const kept = { clientSecretKey: Buffer.from(clientKey).toString("hex") }
      show(uri, { backend, qr: options.qr === true, kept })
    })
}

/** Reads the token back, so that what is printed is what others will read in it. */
function show(
  uri: string,
  { backend, qr, kept = {} }: { backend: CryptoBackend; qr: boolean; kept?: Record<string, string> },
): void {
  const report = inspect(uri, backend)
  printJson({ uri, ...contentOf(report), ...kept })
  showFindings(report)
  if (qr) drawQr(uri)
}
