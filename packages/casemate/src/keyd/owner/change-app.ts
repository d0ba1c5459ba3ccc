import { type Connection, isDead, type Terms } from "@casemate/nip46/signer"
import type { AppInfo } from "../../channel/owner-calls.js"
import { appInfo } from "./app-info.js"
import { chooseApp, hasEnded } from "./choose-app.js"
import { ownerAudit } from "./owner-audit.js"
import type { OwnerPorts } from "./ports.js"

/**
 * Changes the terms of an app, all of them and with their row, or nothing. What is over of its grants goes with it.
 *
 * @throws UserError when it has ended meanwhile
 */
export async function changeApp(
  connection: Connection,
  terms: Terms,
  { action, why }: { readonly action: string; readonly why: string },
  ports: OwnerPorts,
): Promise<AppInfo> {
  const now = ports.now()
  const audit = ownerAudit(action, why, now, { connectionId: connection.id })
  const dead = connection.grants.filter((grant) => isDead(grant, now)).map(({ id }) => id)
  const removeGrants = [...(terms.removeGrants ?? []), ...dead]
  if (!(await ports.record.setTerms(connection.id, { ...terms, removeGrants }, audit))) throw hasEnded(connection)
  await ports.door.publishAll(ports.engine.approvals.settle(connection))
  // What was allowed before is done before the owner is told.
  await ports.door.settled()
  return appInfo(await chooseApp(connection.id, ports), ports)
}
