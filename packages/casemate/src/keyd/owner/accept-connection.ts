import {
  formatPermission,
  type NostrconnectToken,
  type Permission,
  parseNostrconnectToken,
  parsePermissions,
  readPermissions,
} from "@casemate/nip46/protocol"
import { type Connection, commonPermissions } from "@casemate/nip46/signer"
import type { RelayFailure } from "../../channel/gateway-channel.js"
import type { AcceptInfo, OwnerCalls, PreviewInfo } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"
import { watchOf } from "../door/watches.js"
import type { UserKey } from "../record/record.js"
import { appInfo } from "./app-info.js"
import { chooseKey } from "./choose-key.js"
import { ensureKeyRemains } from "./keys.js"
import { DEFAULT_PERMS, relayUrl } from "./offer-connection.js"
import type { OwnerPorts } from "./ports.js"
import { type VettedRelays, vetRelays } from "./vet-relays.js"

type AcceptArgs = OwnerCalls["connections.accept"]["args"]

/** What an owner is asked to say yes to. */
interface Proposal {
  /** Of its relays only those that may be dialled. */
  readonly token: NostrconnectToken
  readonly key: UserKey
  readonly requested: readonly Permission[]
  readonly granted: readonly Permission[]
  readonly vetted: VettedRelays
  /** Where the owner wants to serve it. */
  readonly relays: readonly string[] | undefined
}

/** Shows what `connections.accept` with the same args would do. Changes nothing. */
export async function previewConnection(args: AcceptArgs, ports: OwnerPorts): Promise<PreviewInfo> {
  const { token, key, requested, granted, vetted, relays } = await propose(args, ports)
  const given = granted.map(formatPermission)
  return {
    name: token.app.name ?? "",
    url: token.app.url,
    clientPubkey: token.clientPubkey,
    relays: vetted.relays,
    refusedRelays: vetted.refused,
    movesTo: relays ?? [],
    requestedPerms: token.perms,
    perms: given,
    notGranted: requested.map(formatPermission).filter((permission) => !given.includes(permission)),
    key: key.name,
    userPubkey: key.pubkey,
  }
}

/** Lets the app in: listens, records, and answers until it is heard of. */
export async function acceptConnection(args: AcceptArgs, ports: OwnerPorts): Promise<AcceptInfo> {
  const { token, key, granted, vetted, relays } = await propose(args, ports)
  const { engine, door, responses } = ports
  const acceptance = await engine.accept({
    token,
    userPubkey: key.pubkey,
    permissions: granted,
    guardedRelays: vetted.guarded,
    style: args.style ?? ports.defaultStyle,
    ...(relays === undefined ? {} : { relays }),
    listen: (connection) => listen(connection, ports),
  })
  const { connection, response } = acceptance
  await ensureKeyRemains(connection.id, connection.userPubkey, ports)
  // A gateway that came anew since it said that it listens has its list from the record.
  door.watch(watchOf(connection))
  if (response !== undefined) responses.send(response)
  return { ...(await appInfo(connection, ports)), isNew: acceptance.kind === "accepted" }
}

async function listen(connection: Connection, { door, record, proofs }: OwnerPorts): Promise<void> {
  let failures: readonly RelayFailure[] = []
  try {
    failures = await proofs.during(connection, () => door.listen(watchOf(connection), connection.clientRelays))
    if (failures.length === 0) return
    throw new UserError(
      `no relay of this token can be reached (${failures.map(reasonOf).join("; ")}); nothing was changed`,
    )
  } catch (error) {
    // One that was let in before is listened for as ever.
    if ((await record.connection(connection.remoteSignerPubkey)) === undefined) door.unwatch(connection.id)
    throw error
  }
}

/** @throws UserError or Nip46Error that names what is wrong with the token or the args */
async function propose(args: AcceptArgs, ports: OwnerPorts): Promise<Proposal> {
  const token = parseNostrconnectToken(args.uri)
  const key = await chooseKey(args.key, ports.record)
  const relays = args.relays === undefined || args.relays.length === 0 ? undefined : args.relays.map(relayUrl)
  const vetted = vetRelays(token.relays, {
    trusted: [...(ports.door.info?.relays ?? []), ...(relays ?? [])],
    allowPrivate: args.allowPrivateRelays === true,
  })
  if (vetted.relays.length === 0) {
    const reasons = vetted.refused.map(({ url, why }) => `${url}: ${why}`).join("; ")
    throw new UserError(
      `no relay of this token may be dialled (${reasons}); if you know them, add --allow-private-relays`,
    )
  }
  const requested = readPermissions(token.perms).permissions
  const granted =
    args.perms === undefined
      ? commonPermissions(requested, parsePermissions(DEFAULT_PERMS))
      : parsePermissions(args.perms)
  return { token: { ...token, relays: vetted.relays }, key, requested, granted, vetted, relays }
}

function reasonOf({ relay, reason }: RelayFailure): string {
  return `${relay}: ${reason.slice(0, 200)}`
}
