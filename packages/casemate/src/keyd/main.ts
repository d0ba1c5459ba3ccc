import { join } from "node:path"
import { type CryptoBackend, createBackend } from "@casemate/nip46/crypto"
import { chooseCurve, nodePrimitives } from "@casemate/nip46/crypto/node"
import type { NostrEvent } from "@casemate/nip46/protocol"
import { SignerEngine } from "@casemate/nip46/signer"
import { GATEWAY_SOCKET, listenOn, OWNER_SOCKET } from "../channel/sockets.js"
import { type ChildHooks, runChild } from "../channel/supervision.js"
import type { Config } from "../config/config.js"
import { RECORD_FILE } from "../config/folders.js"
import { createLogger, type Logger, reasonOf } from "../config/log.js"
import { ownHosts, pageUrls, publicPages } from "../config/pages.js"
import { isMistake } from "../config/user-error.js"
import { createAccounts } from "./accounts/accounts.js"
import { WebDoor } from "./accounts/web-door.js"
import { ConnectResponses } from "./door/connect-responses.js"
import { GatewayDoor } from "./door/gateway-door.js"
import { acceptOwner } from "./door/owner-door.js"
import { RelayProofs } from "./door/relay-proofs.js"
import { watchesOf } from "./door/watches.js"
import { isFirstStart, undoFirstStart } from "./first-start.js"
import { callOwner } from "./owner/calls.js"
import { ConnectionWaits } from "./owner/connection-waits.js"
import { Notices } from "./owner/notices.js"
import type { OwnerPorts } from "./owner/ports.js"
import { SignedEvents } from "./owner/signed-events.js"
import { type DataDirLock, lockDataDir } from "./record/lock.js"
import type { Record as KeydRecord } from "./record/record.js"
import { openSqliteRecord } from "./record/sqlite-record.js"
import { Nip49 } from "./vault/nip49.js"
import { loadRootKey, noteSealed } from "./vault/root-key.js"
import { Vault } from "./vault/vault.js"

/** The process with the keys and the record. It opens no network: its doors are unix sockets. */
const PURGE_EVERY_MS = 60_000
const EXPIRE_EVERY_MS = 1_000
/** Reads every connection, and what it finds ended a day ago: no reason to look often. */
const SWEEP_EVERY_MS = 3_600_000
/** An orphan of a killed daemon needs a moment to notice. */
const LOCK_PATIENCE_MS = 3_000

async function start(config: Config): Promise<{ hooks: ChildHooks; details: unknown }> {
  const lock = lockDataDir(config.dataDir, { waitMs: LOCK_PATIENCE_MS })
  const isFirst = isFirstStart(config)
  try {
    return await open(config, lock, isFirst)
  } catch (error) {
    if (isFirst) undoFirstStart(config)
    lock.release()
    throw error
  }
}

async function open(
  config: Config,
  lock: DataDirLock,
  isFirst: boolean,
): Promise<{ hooks: ChildHooks; details: unknown }> {
  const log = createLogger("keyd", config.logLevel)
  const { curve, missing } = chooseCurve(config.curve)
  const crypto = createBackend(nodePrimitives, curve)
  const now = (): number => Math.floor(Date.now() / 1000)
  process.chdir(config.dataDir)
  const { vault, record } = openStores(config, crypto, log)
  const onFault = (fault: unknown): void => log.error({ reason: reasonOf(fault) }, "a request met a fault")
  const signed = new SignedEvents({ vault, record, onFault })
  const ports = { record, keys: vault, crypto, onFault, onSigned: (event: NostrEvent) => signed.keep(event) }
  const pages = publicPages(config)
  const engine = new SignerEngine(ports, {
    isOwnHost: (host) => ownHosts(config, door.info?.http).has(host),
    approvalUrl: (id) => (pages === undefined ? undefined : `${pages}/requests/${id}`),
  })

  const waits = new ConnectionWaits(async (id) => {
    const result = await record.findConnection(id)
    return result.kind === "found" ? result.connection : undefined
  }, now)
  const proofs = new RelayProofs({ record, keys: vault, crypto, now: Date.now, log })
  const door = new GatewayDoor({
    engine,
    watches: async () => watchesOf(await record.connections(), now()),
    prove: (ask) => proofs.prove(ask),
    call: (request) => webDoor.answer(request),
    onServed: (connectionId) => waits.served(connectionId),
    onWaiting: (approvalId, connectionId) => void notices?.waits(approvalId, connectionId),
    log,
  })
  const notices =
    config.webhook === undefined
      ? undefined
      : new Notices({
          waiting: (connectionId) => engine.approvals.waiting(connectionId),
          approval: (id) => record.approval(id),
          connections: () => record.connections(),
          pages,
          details: config.webhook.details,
          sign: (bytes) => vault.signNotice(bytes),
          randomBytes: (length) => crypto.randomBytes(length),
          post: (notice) => door.notify(notice),
          log,
        })
  const recovered = await engine.recover()
  for (const answer of recovered) door.publish(answer, true)

  const responses = new ConnectResponses({ engine, publish: (answer) => door.publish(answer), log })
  responses.resume(await record.connections(), now())

  const nip49 = new Nip49({
    randomBytes: (length) => crypto.randomBytes(length),
    availableMemory: () => process.availableMemory(),
  })
  const ownerPorts: OwnerPorts = {
    ...{ engine, record, vault, nip49, crypto, door, proofs, responses, waits, now, signed, notices },
    defaultStyle: pages === undefined ? "deny" : "auth_url",
    pages: () => pageUrls(config, door.info?.http),
    actor: "owner",
  }
  const accounts = createAccounts({ record, vault, crypto, now, log })
  const webDoor = new WebDoor({ accounts, ports: ownerPorts })
  const gatewayServer = await listenOn(GATEWAY_SOCKET, (socket) => door.accept(socket))
  const ownerServer = await listenOn(OWNER_SOCKET, (socket) =>
    acceptOwner(socket, { call: (call, args) => callOwner(call, args, ownerPorts), log }),
  )
  const every = (ms: number, what: string, work: () => Promise<void>): NodeJS.Timeout =>
    setInterval(() => {
      work().catch((error: unknown) => log.error({ reason: reasonOf(error) }, `could not ${what}`))
    }, ms)
  const timers = [
    every(PURGE_EVERY_MS, "purge", () => record.purge(now())),
    every(EXPIRE_EVERY_MS, "end what nobody decided", () => door.publishAll(engine.approvals.expire())),
    every(SWEEP_EVERY_MS, "sweep", () => door.sweep()),
  ]
  log.info({ crypto: crypto.name, missing, recovered: recovered.length }, "keyd is ready")

  const stop = async (): Promise<void> => {
    for (const timer of timers) clearInterval(timer)
    responses.close()
    notices?.close()
    ownerServer.close()
    gatewayServer.close()
    await door.drain()
    door.close()
    engine.close()
    // Without a key there is nothing, unless one was here and was removed.
    const isEmpty = (await record.userKeys()).length === 0 && (await record.audit({ limit: 1 })).length === 0
    await record.close()
    vault.close()
    if (isFirst && isEmpty) undoFirstStart(config)
    lock.release()
  }
  return { hooks: { stop }, details: { crypto: crypto.name } }
}

/** The keys and the record, which needs them: each row of its audit and the end of it is sealed. */
function openStores(
  { dataDir, configDir }: Config,
  crypto: CryptoBackend,
  log: Logger,
): { vault: Vault; record: KeydRecord } {
  const { vaultId, rootKey } = loadRootKey({
    dataDir,
    configDir,
    sealedFile: RECORD_FILE,
    randomBytes: (length) => crypto.randomBytes(length),
  })
  const vault = new Vault({
    rootKey,
    vaultId,
    crypto,
    loadUserKey: async (pubkey) => (await record.userKey(pubkey))?.sealed,
  })
  rootKey.wipe()
  const record = openSqliteRecord(join(dataDir, RECORD_FILE), {
    seal: {
      mac: (bytes) => vault.auditMac(bytes),
      sealHead: (writer, head) => vault.sealAuditHead(writer, head),
      openHead: (writer, sealed) => vault.openAuditHead(writer, sealed),
    },
    onBrokenAudit: (why) => log.error({ reason: why }, "the audit does not hold"),
  })
  noteSealed(dataDir)
  return { vault, record }
}

await runChild(start, isMistake)
