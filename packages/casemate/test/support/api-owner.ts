import { TOTP } from "otpauth"
import type { Folders } from "./bunker.js"
import { callOwner } from "./owner.js"

/** An owner's program at the HTTP API, with both halves of a session. */
export type Ask = (path: string) => Promise<unknown>

/** Becomes an owner of a running bunker by an invitation, with a password. @param http as the bunker said when ready */
export async function joinByApi(folders: Folders, http: string, name = "ada"): Promise<Ask> {
  const { origin } = new URL(http)
  const post = async (path: string, body: object): Promise<Response> => {
    const headers = { origin, "content-type": "application/json" }
    const answer = await fetch(`${origin}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
    return answer
  }
  const { url } = await callOwner(folders, "owners.invite", {})
  const invited = { secret: new URL(url).hash.slice(1), name }
  const { secret } = (await (await post("/invitation/totp", invited)).json()) as { secret: string }
  const code = new TOTP({ secret }).generate()
  const joined = await post("/invitation/password", { ...invited, password: "correct horse battery", code })
  const { token } = (await joined.json()) as { token: string }
  const cookie = joined.headers.get("set-cookie")?.split(";", 1)[0] ?? ""
  return async (path) => {
    const answer = await fetch(`${origin}/api/v1${path}`, { headers: { cookie, "x-casemate-session": token } })
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
    return answer.json()
  }
}
