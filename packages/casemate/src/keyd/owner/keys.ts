import { Nip46Error } from "@casemate/nip46/protocol"
import { nsecEncode } from "nostr-tools/nip19"
import type { KeyInfo, KeyUses, OwnerCalls } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"
import { isInForce } from "../door/watches.js"
import type { UserKey } from "../record/record.js"
import { chooseKey } from "./choose-key.js"
import { ownerAudit } from "./owner-audit.js"
import type { OwnerPorts } from "./ports.js"
import { readSecretKey } from "./secret-key.js"

/** 256 MiB and about a second for each guess, and as much for whoever opens it on a phone. */
const LOG_N = 18

type Args<C extends keyof OwnerCalls> = OwnerCalls[C]["args"]

export async function listKeys({ record }: OwnerPorts): Promise<KeyInfo[]> {
  return (await record.userKeys()).map(keyInfo)
}

export async function checkNewName(
  { name }: Args<"keys.check">,
  { record }: OwnerPorts,
): Promise<Record<never, never>> {
  if ((await record.userKeys()).some((key) => key.name === name)) throw nameTaken(name)
  return {}
}

export async function generateKey({ name }: Args<"keys.generate">, ports: OwnerPorts): Promise<KeyInfo> {
  const secretKey = ports.crypto.generateSecretKey()
  try {
    return await addKey(name, secretKey, "a new key was made", ports)
  } finally {
    secretKey.fill(0)
  }
}

export async function importKey(
  { name, secretKey: text, passphrase }: Args<"keys.add">,
  ports: OwnerPorts,
): Promise<KeyInfo> {
  const secretKey = await readSecretKey(text, passphrase, ports.nip49)
  try {
    return await addKey(name, secretKey, "a key was imported", ports)
  } finally {
    secretKey.fill(0)
  }
}

/** What stands or falls with a key. */
export async function keyUses({ key }: Args<"keys.uses">, { record, now }: OwnerPorts): Promise<KeyUses> {
  const chosen = await chooseKey(key, record)
  const mine = (await record.connections()).filter(
    (connection) => connection.userPubkey === chosen.pubkey && isInForce(connection, now()),
  )
  const tokens = mine.filter(({ state }) => state === "offered").length
  const isLast = (await record.userKeys()).length === 1
  return { ...keyInfo(chosen), apps: mine.length - tokens, tokens, isLast }
}

/** The key under a passphrase (NIP-49). */
export async function exportKey(
  { key, passphrase, logN = LOG_N }: Args<"keys.export">,
  ports: OwnerPorts,
): Promise<OwnerCalls["keys.export"]["result"]> {
  const chosen = await chooseKey(key, ports.record)
  const { vault, nip49 } = ports
  const ncryptsec = await nip49.encrypt({ passphrase, logN }, async (borrow) => {
    await noteExport(chosen, "as an ncryptsec, under a passphrase", ports)
    return vault.lendUserKey(chosen.pubkey, borrow)
  })
  return { ...keyInfo(chosen), ncryptsec }
}

/** The key as it is. Whoever asks has typed its name: this door gives it to nobody who has not. */
export async function exportPlainKey(
  { key, confirm }: Args<"keys.exportPlain">,
  ports: OwnerPorts,
): Promise<OwnerCalls["keys.exportPlain"]["result"]> {
  const chosen = await chooseKey(key, ports.record)
  if (confirm !== chosen.name) throw new UserError("that is not the name of the key, so nothing was exported")
  await noteExport(chosen, "as an nsec, in the clear", ports)
  return { ...keyInfo(chosen), nsec: await ports.vault.lendUserKey(chosen.pubkey, nsecEncode) }
}

export async function renameKey({ key, name }: Args<"keys.rename">, ports: OwnerPorts): Promise<KeyInfo> {
  const { record } = ports
  const chosen = await chooseKey(key, record)
  if (chosen.name === name) throw new UserError(`this key is named ${JSON.stringify(name)} already`)
  const why = `the owner renamed this key from ${chosen.name} to ${name}`
  const audit = ownerAudit("owner.key.renamed", why, ports, { param: chosen.pubkey })
  const result = await record.renameUserKey(chosen.pubkey, name, audit)
  if (result.kind === "taken") throw nameTaken(name)
  if (result.kind === "none") throw goneMeanwhile()
  return keyInfo({ ...chosen, name })
}

/** Takes the key away and shuts out the apps that use it. */
export async function removeKey(
  { key }: Args<"keys.remove">,
  ports: OwnerPorts,
): Promise<OwnerCalls["keys.remove"]["result"]> {
  const { record, vault, door, waits } = ports
  const chosen = await chooseKey(key, record)
  // What is committed before is still signed: for that the handle is opened while the row is there.
  await vault.userKey(chosen.pubkey).catch(passOverDamage)
  const why = `the owner removed the key ${chosen.name}`
  const audit = ownerAudit("owner.key.removed", why, ports, { param: chosen.pubkey })
  const result = await record.removeUserKey(chosen.pubkey, audit)
  if (result.kind === "none") throw goneMeanwhile()
  await door.settled()
  vault.forget(chosen.pubkey)
  for (const id of result.revoked) waits.served(id)
  return { ...keyInfo(chosen), revoked: result.revoked.length }
}

/**
 * A connection that was made for a key while that was being taken away is revoked like the others.
 *
 * @throws UserError in that case
 */
export async function ensureKeyRemains(connectionId: string, userPubkey: string, ports: OwnerPorts): Promise<void> {
  if ((await ports.record.userKey(userPubkey)) !== undefined) return
  const why = "the owner removed the key that this app signs with"
  await ports.record.setState(connectionId, "revoked", ownerAudit("owner.revoke", why, ports, { connectionId }))
  throw goneMeanwhile()
}

async function addKey(name: string, secretKey: Uint8Array, why: string, ports: OwnerPorts): Promise<KeyInfo> {
  const { vault, record, now } = ports
  const key = { name, ...vault.sealUserKey(secretKey), createdAt: now() }
  const audit = ownerAudit("owner.add_key", why, ports, { param: key.pubkey })
  const result = await record.addUserKey(key, audit)
  if (result.kind === "added") return keyInfo(key)
  if (result.by === "name") throw nameTaken(name)
  const known = await record.userKey(key.pubkey)
  throw new UserError(`this key is already here under the name ${JSON.stringify(known?.name ?? "")}`)
}

/** On the disk before the key leaves: an export without its row must not be. */
function noteExport({ pubkey }: UserKey, how: string, ports: OwnerPorts): Promise<void> {
  return ports.record.note(
    ownerAudit("owner.key.exported", `the owner exported this key ${how}`, ports, { param: pubkey }),
  )
}

function nameTaken(name: string): UserError {
  return new UserError(`there is already a key named ${JSON.stringify(name)}; choose another name`)
}

function goneMeanwhile(): UserError {
  return new UserError("this key was removed meanwhile; `casemate keys list` shows those there are")
}

/** A key that does not open signs nothing, and may be taken away all the more. */
function passOverDamage(error: unknown): void {
  if (!(error instanceof Nip46Error) || error.code !== "INVALID_KEY") throw error
}

function keyInfo({ name, pubkey, createdAt }: KeyInfo): KeyInfo {
  return { name, pubkey, createdAt }
}
