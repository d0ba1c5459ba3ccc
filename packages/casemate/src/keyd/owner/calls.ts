import type { AuditEntry } from "@casemate/nip46/signer"
import * as v from "valibot"
import type { OwnerCall, OwnerCalls, RequestInfo, StatusInfo } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"
import { MAX_LOG_N, MIN_LOG_N } from "../vault/nip49.js"
import { acceptConnection, previewConnection } from "./accept-connection.js"
import { appInfo, appInfos } from "./app-info.js"
import { chooseApp, hasEnded } from "./choose-app.js"
import { applyPreset, grantPermissions, listPresets, ungrantPermissions } from "./grants.js"
import {
  checkNewName,
  exportKey,
  exportPlainKey,
  generateKey,
  importKey,
  keyUses,
  listKeys,
  removeKey,
  renameKey,
} from "./keys.js"
import { offerConnection } from "./offer-connection.js"
import { ownerAudit } from "./owner-audit.js"
import { inviteOwner, listOwners, removeOwner } from "./owners.js"
import type { OwnerPorts } from "./ports.js"
import { REQUEST_ARGS } from "./request-args.js"
import { approveRequest, denyRequest, listRequests, showRequest } from "./requests.js"
import { appId, TERM_ARGS } from "./term-args.js"
import { extendApp, pauseApp, resumeApp, setStyle } from "./terms.js"
import { testWebhook } from "./webhook.js"

/** Where the first request of an app that is waited for is looked up. */
const RECENT_ROWS = 1_000

/** An ncryptsec is made to be kept where others may find it, and a guess costs them a second at most. */
const MIN_PASSPHRASE = 12

const none = v.object({})
const keyName = v.pipe(
  v.string(),
  v.regex(
    /^[a-z0-9][a-z0-9_-]{0,31}$/i,
    "a key's name has 1 to 32 letters, digits, - or _, and starts with a letter or digit",
  ),
)
const key = v.string()
const passphrase = v.pipe(v.string("a passphrase is a text"), v.maxLength(1_024, "that passphrase is too long"))
const perms = v.optional(
  v.pipe(v.string(), v.maxLength(4_096, "the permissions are too long; name fewer, or a method without its kinds")),
)
const style = v.optional(v.picklist(["auth_url", "hold", "deny"], "a style is auth_url, hold or deny"))
const relays = v.optional(v.pipe(v.array(v.string()), v.maxLength(10, "a token names at most 10 relays")))
const proposal = v.object({
  // Its reader says what is wrong with it, its length included.
  uri: v.string(),
  key: v.optional(v.string()),
  perms,
  relays,
  allowPrivateRelays: v.optional(v.boolean()),
  style,
})

/** Shapes of the args, checked at the door. */
export const OWNER_ARGS = {
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
    passphrase: v.optional(passphrase),
  }),
  "keys.uses": v.object({ key }),
  "keys.export": v.object({
    key,
    passphrase: v.pipe(
      passphrase,
      v.check(
        (text) => Array.from(text.normalize("NFKC")).length >= MIN_PASSPHRASE,
        `a passphrase for an export has at least ${MIN_PASSPHRASE} characters: whoever finds the export can guess at it`,
      ),
    ),
    logN: v.optional(
      v.pipe(
        v.number(),
        v.integer("log_n is a whole number"),
        v.minValue(MIN_LOG_N, `log_n is ${MIN_LOG_N} to ${MAX_LOG_N}`),
        v.maxValue(MAX_LOG_N, `log_n is ${MIN_LOG_N} to ${MAX_LOG_N}`),
      ),
    ),
  }),
  "keys.exportPlain": v.object({ key, confirm: v.string() }),
  "keys.rename": v.object({ key, name: keyName }),
  "keys.remove": v.object({ key }),
  "apps.list": none,
  "apps.show": appId,
  "apps.revoke": appId,
  "apps.nip04": v.object({ ...appId.entries, allowed: v.boolean() }),
  ...TERM_ARGS,
  ...REQUEST_ARGS,
  "owners.list": none,
  "owners.invite": none,
  "owners.remove": v.object({ name: v.pipe(v.string(), v.maxLength(200, "that name is too long for an owner's")) }),
  "connections.offer": v.object({
    key: v.optional(v.string()),
    perms,
    ttl: v.pipe(
      v.number(),
      v.integer(),
      v.minValue(10, "a token lives at least 10 seconds"),
      v.maxValue(30 * 86_400, "a token lives at most 30 days"),
    ),
    relays,
    style,
  }),
  "connections.wait": appId,
  "connections.preview": proposal,
  "connections.accept": proposal,
  "connections.firstRequest": appId,
  "webhook.secret": none,
  "webhook.test": none,
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
  "keys.list": (_, ports) => listKeys(ports),
  "keys.generate": generateKey,
  "keys.check": checkNewName,
  "keys.add": importKey,
  "keys.uses": keyUses,
  "keys.export": exportKey,
  "keys.exportPlain": exportPlainKey,
  "keys.rename": renameKey,
  "keys.remove": removeKey,
  "apps.list": async (_, ports) => appInfos(await ports.record.connections(), ports),
  "apps.show": async ({ id }, ports) => appInfo(await chooseApp(id, ports), ports),
  "apps.revoke": async ({ id }, ports) => {
    const { record } = ports
    const connection = await chooseApp(id, ports)
    const audit = ownerAudit("owner.revoke", "the owner revoked this app", ports, { connectionId: connection.id })
    if (!(await record.setState(connection.id, "revoked", audit)) && connection.state !== "revoked") {
      throw hasEnded(connection)
    }
    await ports.engine.approvals.stop(connection.id)
    // What was committed before is signed before the owner is told: after that, nothing is.
    await ports.door.settled()
    ports.waits.served(connection.id)
    return appInfo(await chooseApp(connection.id, ports), ports)
  },
  "apps.nip04": async ({ id, allowed }, ports) => {
    const connection = await chooseApp(id, ports)
    const why = `the owner ${allowed ? "allows" : "no longer allows"} NIP-04 as this app's encryption`
    const audit = ownerAudit("owner.nip04", why, ports, { connectionId: connection.id })
    if (!(await ports.record.setNip04Transport(connection.id, allowed, audit))) {
      throw hasEnded(connection)
    }
    return appInfo(await chooseApp(connection.id, ports), ports)
  },
  "apps.grant": grantPermissions,
  "apps.ungrant": ungrantPermissions,
  "apps.presets": listPresets,
  "apps.preset": applyPreset,
  "apps.extend": extendApp,
  "apps.pause": pauseApp,
  "apps.resume": resumeApp,
  "apps.style": setStyle,
  "requests.list": listRequests,
  "requests.show": showRequest,
  "requests.approve": approveRequest,
  "requests.deny": denyRequest,
  "owners.list": (_, ports) => listOwners(ports),
  "owners.invite": (_, ports) => inviteOwner(ports),
  "owners.remove": removeOwner,
  "connections.offer": offerConnection,
  "connections.wait": async ({ id }, ports) => {
    const connection = await chooseApp(id, ports)
    const active = await ports.waits.untilActive(connection)
    return appInfo(active, ports)
  },
  "connections.preview": previewConnection,
  "connections.accept": acceptConnection,
  "connections.firstRequest": async ({ id }, ports) => {
    const connection = await ports.waits.untilAsked(await chooseApp(id, ports))
    const rows = await ports.record.audit({ limit: RECENT_ROWS })
    const row = rows.find(({ connectionId, eventId }) => connectionId === connection.id && eventId !== undefined)
    return {
      app: await appInfo(connection, ports),
      request: row === undefined ? undefined : requestInfo(row),
    }
  },
  "webhook.secret": async (_, { vault }) => ({ secret: vault.webhookSecret() }),
  "webhook.test": (_, ports) => testWebhook(ports),
}

/** @throws UserError for args of another shape and for everything that the owner can mend */
export async function callOwner(call: string, args: unknown, ports: OwnerPorts): Promise<unknown> {
  if (!Object.hasOwn(HANDLERS, call))
    throw new UserError("this bunker does not know that call; are both of one version?")
  const known = call as OwnerCall
  const parsed = v.safeParse(OWNER_ARGS[known], args)
  if (!parsed.success) throw new UserError(parsed.issues[0].message)
  const handler = HANDLERS[known] as (args: unknown, ports: OwnerPorts) => Promise<unknown>
  return handler(parsed.output, ports)
}

function requestInfo({ action, param, verdict, why }: AuditEntry): RequestInfo {
  return { action, param, verdict, why }
}
