import type { Connection } from "@casemate/nip46/signer"
import { UserError } from "../../config/user-error.js"
import type { OwnerPorts } from "./ports.js"

/** The app that an owner named, by id or by a beginning of it. @throws UserError when there is none, or several */
export async function chooseApp(id: string, { record }: Pick<OwnerPorts, "record">): Promise<Connection> {
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

/** The same for what only an app can have that has not ended, or a token that can still be redeemed. @throws UserError */
export async function chooseLiveApp(id: string, ports: Pick<OwnerPorts, "record" | "now">): Promise<Connection> {
  const connection = await chooseApp(id, ports)
  const { state, secretExpiresAt } = connection
  if (state === "revoked" || state === "logged_out") throw hasEnded(connection)
  if (state === "offered" && secretExpiresAt !== undefined && secretExpiresAt <= ports.now()) {
    throw new UserError(`no app connected before the token ${connection.id} expired; make a new one`)
  }
  return connection
}

export function hasEnded({ id }: Connection): UserError {
  return new UserError(`app ${id} has already ended`)
}
