import { UserError } from "../../config/user-error.js"
import type { Record as KeydRecord, UserKey } from "../record/record.js"

/** The key that an owner named, by name or pubkey; the first one when none was named. @throws UserError when there is none */
export async function chooseKey(key: string | undefined, record: KeydRecord): Promise<UserKey> {
  const keys = await record.userKeys()
  const chosen = key === undefined ? keys[0] : keys.find(({ name, pubkey }) => name === key || pubkey === key)
  if (chosen !== undefined) return chosen
  throw new UserError(
    key === undefined
      ? "this bunker holds no key yet; make one with `casemate keys generate --name NAME`"
      : `there is no key named ${JSON.stringify(key.slice(0, 64))}; \`casemate keys list\` shows those there are`,
  )
}
