import type { CryptoBackend } from "@casemate/nip46/crypto"
import { formatPermission, normalizeRelayUrl, parsePermissions } from "@casemate/nip46/protocol"
import type { AuditEntry, Connection, SignerEngine } from "@casemate/nip46/signer"
import * as v from "valibot"
import type { AppInfo, KeyInfo, OfferInfo, OwnerCall, OwnerCalls, StatusInfo } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"
import type { GatewayDoor } from "../door/gateway-door.js"
import { watchOf } from "../door/watches.js"
import type { Record as KeydRecord } from "../record/record.js"
import type { Vault } from "../vault/vault.js"
import type { ConnectionWaits } from "./connection-waits.js"
import { readSecretKey } from "./secret-key.js"

/** What a token grants when its owner names nothing (issue: everyday kinds, and messages both ways). */
export const DEFAULT_PERMS =
  "sign_event:1,sign_event:6,sign_event:7,sign_event:16,sign_event:1111,sign_event:9734,nip44_encrypt,nip44_decrypt"

export interface OwnerPorts {
  readonly engine: SignerEngine
  readonly record: KeydRecord
  readonly vault: Vault
  readonly crypto: CryptoBackend
  readonly door: GatewayDoor
  readonly waits: ConnectionWaits
  /** Unix seconds. */
  readonly now: () => number
}

const none = v.object({})
const keyName = v.pipe(
  v.string(),
  v.regex(
    /^[a-z0-9][a-z0-9_-]{0,31}$/i,
    "a key's name has 1 to 32 letters, digits, - or _, and starts with a letter or digit",
  ),
)
const appId = v.object({
  id: v.pipe(
    v.string(),
    v.regex(/^[0-9a-f]{4,64}$/, "an app's id is at least its first 4 hex digits, as `casemate apps list` shows them"),
  ),
})

/** Shapes of the args, checked at the door. */
const ARGS = {
  status: none,
  "keys.list": none,
  "keys.generate": v.object({ name: keyName }),
  "keys.check": v.object({ name: keyName }),
  "keys.add": v.object({
    name: keyName,
    secretKey: v.pipe(
      v.string(),
      v.maxLength(256, "that is too long for a secret key: one is written as nsec1… or as 64 hex digits"),
    ),
  }),
  "apps.list": none,
  "apps.show": appId,
  "apps.revoke": appId,
  "connections.offer": v.object({
    key: v.optional(v.string()),
    perms: v.optional(
      v.pipe(v.string(), v.maxLength(4_096, "the permissions are too long; name fewer, or a method without its kinds")),
    ),
    ttl: v.pipe(
      v.number(),
      v.integer(),
      v.minValue(10, "a token lives at least 10 seconds"),
      v.maxValue(30 * 86_400, "a token lives at most 30 days"),
    ),
    relays: v.optional(v.pipe(v.array(v.string()), v.maxLength(10, "a token names at most 10 relays"))),
  }),
  "connections.wait": appId,
} as const satisfies { [C in OwnerCall]: v.GenericSchema<unknown, unknown> }

type Handlers = {
  [C in OwnerCall]: (args: OwnerCalls[C]["args"], ports: OwnerPorts) => Promise<OwnerCalls[C]["result"]>
}

const HANDLERS: Handlers = {
  status: async (_, { door, engine }): Promise<StatusInfo> => ({
    relays: door.info?.relays ?? [],
    http: door.info?.http,
    ignored: engine.stats(),
  }),
  "keys.list": async (_, { record }) => (await record.userKeys()).map(keyInfo),
  "keys.generate": async ({ name }, ports) => {
    const secretKey = ports.crypto.generateSecretKey()
    try {
      return await addKey(name, secretKey, "a new key was made", ports)
    } finally {
      secretKey.fill(0)
    }
  },
  "keys.check": async ({ name }, { record }) => {
    if ((await record.userKeys()).some((key) => key.name === name)) throw nameTaken(name)
    return {}
  },
  "keys.add": async ({ name, secretKey: text }, ports) => {
    const secretKey = readSecretKey(text)
    try {
      return await addKey(name, secretKey, "a key was imported", ports)
    } finally {
      secretKey.fill(0)
    }
  },
  "apps.list": async (_, ports) => {
    const names = await keyNames(ports)
    return (await ports.record.connections()).map((connection) => appInfo(connection, names, ports.now()))
  },
  "apps.show": async ({ id }, ports) => appInfo(await connectionOf(id, ports), await keyNames(ports), ports.now()),
  "apps.revoke": async ({ id }, ports) => {
    const { record, now } = ports
    const connection = await connectionOf(id, ports)
    const audit = ownerAudit("owner.revoke", "the owner revoked this app", now(), connection.id)
    if (!(await record.setState(connection.id, "revoked", audit)) && connection.state !== "revoked") {
      throw new UserError(`app ${connection.id} has already ended`)
    }
    // What was committed before is signed before the owner is told: after that, nothing is.
    await ports.door.settled()
    ports.waits.served(connection.id)
    return appInfo(await connectionOf(connection.id, ports), await keyNames(ports), now())
  },
  "connections.offer": offerConnection,
  "connections.wait": async ({ id }, ports) => {
    const connection = await connectionOf(id, ports)
    const active = await ports.waits.untilActive(connection)
    return appInfo(active, await keyNames(ports), ports.now())
  },
}

/** @throws UserError for args of another shape and for everything that the owner can mend */
export async function callOwner(call: string, args: unknown, ports: OwnerPorts): Promise<unknown> {
  if (!Object.hasOwn(HANDLERS, call))
    throw new UserError("this bunker does not know that call; are both of one version?")
  const known = call as OwnerCall
  const parsed = v.safeParse(ARGS[known], args)
  if (!parsed.success) throw new UserError(parsed.issues[0].message)
  const handler = HANDLERS[known] as (args: unknown, ports: OwnerPorts) => Promise<unknown>
  return handler(parsed.output, ports)
}

async function offerConnection(
  { key, perms = DEFAULT_PERMS, ttl, relays: given }: OwnerCalls["connections.offer"]["args"],
  ports: OwnerPorts,
): Promise<OfferInfo> {
  const keys = await ports.record.userKeys()
  const chosen = key === undefined ? keys[0] : keys.find(({ name, pubkey }) => name === key || pubkey === key)
  if (chosen === undefined) {
    throw new UserError(
      key === undefined
        ? "this bunker holds no key yet; make one with `casemate keys generate --name NAME`"
        : `there is no key named ${JSON.stringify(key.slice(0, 64))}; \`casemate keys list\` shows those there are`,
    )
  }
  const relays = given === undefined || given.length === 0 ? (ports.door.info?.relays ?? []) : given.map(relayUrl)
  if (relays.length === 0) {
    throw new UserError(
      "the bunker's network side is not up yet, so no relay is known; try again in a moment or name one with --relay",
    )
  }
  const permissions = parsePermissions(perms)
  const { token, connection } = await ports.engine.offer({ userPubkey: chosen.pubkey, permissions, relays, ttl })
  ports.door.watch(watchOf(connection))
  return {
    id: connection.id,
    uri: token,
    relays: connection.relays,
    userPubkey: connection.userPubkey,
    expiresAt: connection.secretExpiresAt ?? ports.now() + ttl,
  }
}

function relayUrl(text: string): string {
  const url = normalizeRelayUrl(text)
  if (url === undefined)
    throw new UserError(`a relay is a ws:// or wss:// URL, not ${JSON.stringify(text.slice(0, 80))}`)
  return url
}

async function addKey(name: string, secretKey: Uint8Array, why: string, ports: OwnerPorts): Promise<KeyInfo> {
  const { vault, record, now } = ports
  const key = { name, ...vault.sealUserKey(secretKey), createdAt: now() }
  const audit = { ...ownerAudit("owner.add_key", why, key.createdAt, undefined), param: key.pubkey }
  const result = await record.addUserKey(key, audit)
  if (result.kind === "added") return keyInfo(key)
  if (result.by === "name") throw nameTaken(name)
  const known = await record.userKey(key.pubkey)
  throw new UserError(`this key is already here under the name ${JSON.stringify(known?.name ?? "")}`)
}

function nameTaken(name: string): UserError {
  return new UserError(`there is already a key named ${JSON.stringify(name)}; choose another name`)
}

async function connectionOf(id: string, { record }: OwnerPorts): Promise<Connection> {
  const result = await record.findConnection(id)
  switch (result.kind) {
    case "found":
      return result.connection
    case "none":
      throw new UserError(`there is no app with the id ${id}; \`casemate apps list\` shows those there are`)
    case "ambiguous":
      throw new UserError(`several apps have ids that begin with ${id}: ${result.ids.join(", ")}; give more of it`)
  }
}

async function keyNames({ record }: OwnerPorts): Promise<ReadonlyMap<string, string>> {
  return new Map((await record.userKeys()).map(({ name, pubkey }) => [pubkey, name]))
}

function keyInfo({ name, pubkey, createdAt }: KeyInfo): KeyInfo {
  return { name, pubkey, createdAt }
}

function appInfo(connection: Connection, names: ReadonlyMap<string, string>, now: number): AppInfo {
  const { id, clientPubkey, remoteSignerPubkey, userPubkey, relays, requestedPerms, createdAt, lastUsedAt } = connection
  return {
    id,
    status: isExpired(connection, now) ? "expired" : connection.state,
    name: connection.app.name ?? "",
    url: connection.app.url,
    clientPubkey,
    remoteSignerPubkey,
    userPubkey,
    key: names.get(userPubkey) ?? "",
    relays,
    perms: connection.grants.filter(({ effect }) => effect === "allow").map(formatPermission),
    requestedPerms,
    createdAt,
    lastUsedAt,
  }
}

function isExpired({ state, secretExpiresAt, expiresAt }: Connection, now: number): boolean {
  const end = state === "offered" ? secretExpiresAt : state === "active" ? expiresAt : undefined
  return end !== undefined && end <= now
}

function ownerAudit(action: string, why: string, at: number, connectionId: string | undefined): AuditEntry {
  return { at, actor: "owner", connectionId, action, param: undefined, verdict: "allow", why, eventId: undefined }
}
