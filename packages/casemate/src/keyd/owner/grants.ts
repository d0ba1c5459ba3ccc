import { formatPermission, type Permission, parsePermissions } from "@casemate/nip46/protocol"
import {
  type Connection,
  type Grant,
  isDead,
  isPresetName,
  MAX_GRANTS,
  newGrant,
  PRESETS,
  SENSITIVE_KINDS,
} from "@casemate/nip46/signer"
import { conditionWords, limitWords } from "../../channel/grant-words.js"
import type { AppInfo, GrantArgs, OwnerCalls, PresetInfo } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"
import { changeApp } from "./change-app.js"
import { chooseLiveApp } from "./choose-app.js"
import { conditionsOf } from "./grant-conditions.js"
import { flawOfGrant } from "./grant-flaw.js"
import type { OwnerPorts } from "./ports.js"

/** Allows, or denies, each of some permissions under the same limits. */
export async function grantPermissions(args: GrantArgs, ports: OwnerPorts): Promise<AppInfo> {
  const { id, perms, deny = false, expiresAt, uses: usesLeft, rate } = args
  const permissions = someOf(perms)
  for (const permission of permissions) {
    const flaw = flawOfGrant(permission, args)
    if (flaw !== undefined) throw new UserError(flaw)
  }
  const conditions = conditionsOf(args, ports.crypto)
  const now = ports.now()
  if (expiresAt !== undefined && expiresAt <= now) throw new UserError("that time is over already; name a later one")
  const connection = await chooseLiveApp(id, ports)
  for (const pubkey of conditions.counterparties ?? []) {
    if (pubkey === connection.clientPubkey || pubkey === connection.remoteSignerPubkey)
      throw new UserError("--with names a key that only carries this connection, which is nobody to write to")
  }
  const grants = permissions.map(
    (permission): Grant => ({
      ...newGrant({ ...permission, conditions }, ports.crypto),
      effect: deny ? "deny" : "allow",
      expiresAt,
      usesLeft,
      rate,
    }),
  )
  const replaced = connection.grants.filter((old) => grants.some((grant) => isSameBut(old, grant)))
  const kept = connection.grants.filter((old) => !replaced.includes(old) && !isDead(old, now))
  if (kept.length + grants.length > MAX_GRANTS) {
    throw new UserError(
      `an app has at most ${MAX_GRANTS} grants; take some back with \`casemate apps ungrant ${connection.id}\` first`,
    )
  }
  const limits = [
    ...conditionWords(conditions, { quoted: JSON.stringify }),
    ...(conditions.counterparties === undefined ? [] : [`with ${conditions.counterparties.join(" or ")}`]),
    ...limitWords({ expiresAt, usesLeft, rate }, { now, when: isoOf }),
  ]
  const words = [permissions.map(formatPermission).join(", "), ...limits].join("; ")
  return changeApp(
    connection,
    { addGrants: grants, removeGrants: idsOf(replaced) },
    { action: "owner.grant", why: `the owner ${deny ? "denies" : "grants"} ${words}` },
    ports,
  )
}

/** Takes grants and denials back, by permission or by id. */
export async function ungrantPermissions(
  { id, what }: OwnerCalls["apps.ungrant"]["args"],
  ports: OwnerPorts,
): Promise<AppInfo> {
  const connection = await chooseLiveApp(id, ports)
  const taken = isGrantId(what) ? [grantById(what, connection)] : grantsOf(someOf(what), connection)
  const words = taken.map((grant) => `${formatPermission(grant)}${grant.effect === "deny" ? " (a denial)" : ""}`)
  return changeApp(
    connection,
    { removeGrants: idsOf(taken) },
    { action: "owner.ungrant", why: `the owner takes back ${words.join(", ")}` },
    ports,
  )
}

export async function listPresets(): Promise<PresetInfo[]> {
  return Object.values(PRESETS).map(({ name, summary, permissions }) => ({
    name,
    summary,
    perms: permissions.map(formatPermission),
  }))
}

/** What the preset contains, in place of all that was allowed; denials stay, and the rest asks. */
export async function applyPreset(
  { id, preset }: OwnerCalls["apps.preset"]["args"],
  ports: OwnerPorts,
): Promise<AppInfo> {
  if (!isPresetName(preset)) {
    const names = Object.keys(PRESETS).join(", ")
    throw new UserError(`there is no preset ${JSON.stringify(preset.slice(0, 40))}; there are ${names}`)
  }
  const connection = await chooseLiveApp(id, ports)
  return changeApp(
    connection,
    {
      addGrants: PRESETS[preset].permissions.map((permission) => newGrant(permission, ports.crypto)),
      removeGrants: idsOf(connection.grants.filter(({ effect }) => effect === "allow")),
      // A preset says that it asks for the rest.
      ...(connection.style === "deny" && { style: "auth_url" as const }),
    },
    { action: "owner.preset", why: `the owner gives the preset ${preset} in place of all grants` },
    ports,
  )
}

function someOf(perms: string): Permission[] {
  const permissions = parsePermissions(perms)
  if (permissions.length > 0) return permissions
  throw new UserError("that names no permission; one is written as sign_event:1 or nip44_encrypt, with commas between")
}

/** No method is written in hex digits alone. */
function isGrantId(what: string): boolean {
  return /^[0-9a-f]{4,16}$/.test(what)
}

function grantById(start: string, { id, grants }: Connection): Grant {
  const [found, ...others] = grants.filter((grant) => grant.id.startsWith(start))
  if (found === undefined)
    throw new UserError(`app ${id} has no grant ${start}; \`casemate apps show ${id}\` says what it has`)
  if (others.length === 0) return found
  throw new UserError(`several grants of app ${id} have ids that begin with ${start}; give more of it`)
}

function grantsOf(permissions: readonly Permission[], { id, grants }: Connection): Grant[] {
  return permissions.flatMap((permission) => {
    const mine = grants.filter((grant) => formatPermission(grant) === formatPermission(permission))
    if (mine.length > 0) return mine
    const name = formatPermission(permission)
    const { method, param } = permission
    const isWithinWider =
      param !== undefined &&
      !(method === "sign_event" && SENSITIVE_KINDS.has(Number(param))) &&
      grants.some((grant) => grant.effect === "allow" && grant.method === method && grant.param === undefined)
    const hint = isWithinWider
      ? `what it has is ${method}; \`casemate apps grant ${id} ${name} --deny\` makes an exception`
      : `\`casemate apps show ${id}\` says what it has`
    throw new UserError(`app ${id} has no grant of ${name}; ${hint}`)
  })
}

/** The same but for how long and how often. */
function isSameBut(one: Grant, other: Grant): boolean {
  const [a, b] = [one, other].map(({ method, param, effect, conditions }) =>
    JSON.stringify([method, param, effect, Object.entries(conditions).sort(([x], [y]) => (x < y ? -1 : 1))]),
  )
  return a === b
}

function idsOf(grants: readonly Grant[]): string[] {
  return grants.map(({ id }) => id)
}

function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
