import { type Connection, type Grant, isDead } from "@casemate/nip46/signer"
import type { AppInfo, OwnerCalls } from "../../channel/owner-calls.js"
import { UserError } from "../../config/user-error.js"
import { watchOf } from "../door/watches.js"
import { appInfo } from "./app-info.js"
import { changeApp } from "./change-app.js"
import { chooseApp, chooseLiveApp, hasEnded } from "./choose-app.js"
import { ownerAudit } from "./owner-audit.js"
import type { OwnerPorts } from "./ports.js"

type Args<C extends keyof OwnerCalls> = OwnerCalls[C]["args"]

/** When the session of an app ends; one that ended by time alone begins again. */
export async function extendApp({ id, expiresAt }: Args<"apps.extend">, ports: OwnerPorts): Promise<AppInfo> {
  if (expiresAt !== null && expiresAt <= ports.now())
    throw new UserError("that time is over already; to end a session now, revoke the app")
  const connection = await chooseLiveApp(id, ports)
  const until = expiresAt === null ? "until it is revoked" : `until ${new Date(expiresAt * 1000).toISOString()}`
  const why = `the owner lets this app stay connected ${until}`
  const info = await changeApp(connection, { expiresAt }, { action: "owner.extend", why }, ports)
  // The gateway forgets those that have been over for long.
  ports.door.watch(watchOf(connection))
  return info
}

/** What an app could use longer than before. @throws UserError */
export async function grantsExtended(
  { id, expiresAt }: Args<"apps.extend">,
  ports: OwnerPorts,
): Promise<readonly Grant[]> {
  const connection = await chooseLiveApp(id, ports)
  return (expiresAt ?? Infinity) > (connection.expiresAt ?? Infinity) ? usable(connection, ports) : []
}

export async function pauseApp({ id }: Args<"apps.pause">, ports: OwnerPorts): Promise<AppInfo> {
  return setState(id, "paused", { action: "owner.pause", why: "the owner paused this app" }, ports)
}

export async function resumeApp({ id }: Args<"apps.resume">, ports: OwnerPorts): Promise<AppInfo> {
  return setState(id, "active", { action: "owner.resume", why: "the owner lets this app go on" }, ports)
}

/** What an app that is paused could use again. @throws UserError */
export async function grantsResumed({ id }: Args<"apps.resume">, ports: OwnerPorts): Promise<readonly Grant[]> {
  const connection = await chooseLiveApp(id, ports)
  return connection.state === "paused" ? usable(connection, ports) : []
}

export async function setStyle({ id, style }: Args<"apps.style">, ports: OwnerPorts): Promise<AppInfo> {
  const connection = await chooseLiveApp(id, ports)
  const why = `the owner chose the style ${style} for what this app is not granted`
  return changeApp(connection, { style }, { action: "owner.style", why }, ports)
}

function usable({ grants }: Connection, { now }: OwnerPorts): readonly Grant[] {
  return grants.filter((grant) => !isDead(grant, now()))
}

async function setState(
  id: string,
  state: "active" | "paused",
  { action, why }: { readonly action: string; readonly why: string },
  ports: OwnerPorts,
): Promise<AppInfo> {
  const connection = await chooseLiveApp(id, ports)
  if (connection.state === "offered") {
    throw new UserError(
      `nobody has connected with the token ${connection.id} yet; \`casemate apps revoke ${connection.id}\` takes it back`,
    )
  }
  if (connection.state !== state) {
    const audit = ownerAudit(action, why, ports, { connectionId: connection.id })
    if (!(await ports.record.setState(connection.id, state, audit))) throw hasEnded(connection)
    // What was committed before is signed before the owner is told, and what waits is told now.
    if (state === "paused") {
      await ports.door.publishAll(ports.engine.approvals.stop(connection.id))
      await ports.door.settled()
    }
  }
  return appInfo(await chooseApp(connection.id, ports), ports)
}
