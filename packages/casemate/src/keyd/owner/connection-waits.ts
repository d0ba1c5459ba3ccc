import type { Connection } from "@casemate/nip46/signer"
import { UserError } from "../../config/user-error.js"

/** A timer that is set for longer fires at once. */
const MAX_TIMER_MS = 2_147_483_647

/** Nothing is sent to an app that was let in after a minute, so nothing need be waited for much longer. */
const ASK_PATIENCE = 75

/** Owners who wait for an app to redeem a token, or to ask something. */
export class ConnectionWaits {
  readonly #read: (id: string) => Promise<Connection | undefined>
  readonly #now: () => number
  readonly #checks = new Map<string, Set<() => void>>()

  constructor(read: (id: string) => Promise<Connection | undefined>, now: () => number) {
    this.#read = read
    this.#now = now
  }

  /** Something happened to this connection: whoever waits for it looks again. */
  served(connectionId: string): void {
    for (const check of this.#checks.get(connectionId) ?? []) check()
  }

  /** @throws UserError once the token has expired or was revoked */
  untilActive({ id }: Connection): Promise<Connection> {
    return this.#until(id, (connection) => {
      if (connection?.state === "active") return connection
      if (connection?.state !== "offered") throw new UserError("this token was revoked before an app connected")
      const seconds = (connection.secretExpiresAt ?? 0) - this.#now()
      if (seconds <= 0) throw new UserError("no app connected before the token expired; make a new one")
      return { seconds }
    })
  }

  /** @throws UserError when the app has ended, or has asked nothing within 75 s */
  untilAsked({ id }: Connection): Promise<Connection> {
    const end = this.#now() + ASK_PATIENCE
    return this.#until(id, (connection) => {
      if (connection?.lastUsedAt !== undefined) return connection
      if (connection?.state !== "active") throw new UserError("this app was shut out before it asked anything")
      const seconds = end - this.#now()
      if (seconds > 0) return { seconds }
      throw new UserError(
        `the app has asked nothing yet: open it, and pair once more with the same token; or take it back with \`casemate apps revoke ${id}\``,
      )
    })
  }

  /** Looks whenever something happened to the connection, and after as many seconds as the last look said. */
  async #until(
    id: string,
    look: (connection: Connection | undefined) => Connection | { readonly seconds: number },
  ): Promise<Connection> {
    let wake = (): void => {}
    const checks = this.#checks.get(id) ?? new Set()
    this.#checks.set(id, checks)
    const check = (): void => wake()
    checks.add(check)
    try {
      for (;;) {
        const woken = new Promise<void>((resolve) => {
          wake = resolve
        })
        const seen = look(await this.#read(id))
        if ("id" in seen) return seen
        const deadline = setTimeout(check, Math.min(seen.seconds * 1000 + 50, MAX_TIMER_MS))
        await woken.finally(() => clearTimeout(deadline))
      }
    } finally {
      checks.delete(check)
      if (checks.size === 0) this.#checks.delete(id)
    }
  }
}
