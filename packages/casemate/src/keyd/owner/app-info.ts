import { formatPermission } from "@casemate/nip46/protocol"
import { type Connection, type Grant, hasUses } from "@casemate/nip46/signer"
import type { AppInfo, GrantInfo } from "../../channel/owner-calls.js"
import type { OwnerPorts } from "./ports.js"

/** Connections as owners see them. */
export async function appInfos(connections: readonly Connection[], ports: OwnerPorts): Promise<AppInfo[]> {
  const names = new Map((await ports.record.userKeys()).map(({ name, pubkey }) => [pubkey, name]))
  const now = ports.now()
  return connections.map((connection) => ({
    id: connection.id,
    status: isExpired(connection, now) ? "expired" : connection.state,
    name: connection.app.name ?? "",
    url: connection.app.url,
    clientPubkey: connection.clientPubkey,
    remoteSignerPubkey: connection.remoteSignerPubkey,
    userPubkey: connection.userPubkey,
    key: names.get(connection.userPubkey) ?? "",
    relays: connection.relays,
    perms: [...new Set(connection.grants.filter((grant) => allowsAt(grant, now)).map(formatPermission))],
    grants: connection.grants.map(grantInfo),
    style: connection.style,
    expiresAt: connection.expiresAt,
    requestedPerms: connection.requestedPerms,
    nip04Transport: connection.nip04Transport,
    nip04Dropped: ports.engine.nip04Dropped(connection.id),
    createdAt: connection.createdAt,
    lastUsedAt: connection.lastUsedAt,
  }))
}

export async function appInfo(connection: Connection, ports: OwnerPorts): Promise<AppInfo> {
  return (await appInfos([connection], ports))[0] as AppInfo
}

function grantInfo({ id, method, param, effect, expiresAt, usesLeft, rate, conditions }: Grant): GrantInfo {
  return { id, method, param, effect, expiresAt, usesLeft, rate, conditions }
}

/** Whether it allows anything at this time, in unix seconds; how fast it may be used does not matter. */
function allowsAt(grant: Grant, now: number): boolean {
  const isOver = grant.expiresAt !== undefined && grant.expiresAt <= now
  return grant.effect === "allow" && !isOver && hasUses({ ...grant, rate: undefined }, now)
}

function isExpired({ state, secretExpiresAt, expiresAt }: Connection, now: number): boolean {
  const end = state === "offered" ? secretExpiresAt : state === "active" ? expiresAt : undefined
  return end !== undefined && end <= now
}
