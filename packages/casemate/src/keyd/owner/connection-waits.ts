import type { Connection } from "@casemate/nip46/signer"
import { UserError } from "../../config/user-error.js"

/** A timer that is set for longer fires at once. */
const MAX_TIMER_MS = 2_147_483_647

/** Owners who wait for an app to redeem a token. */
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
  async untilActive({ id }: Connection): Promise<Connection> {
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
        const connection = await this.#read(id)
        if (connection?.state === "active") return connection
        if (connection?.state !== "offered") throw new UserError("this token was revoked before an app connected")
        const seconds = (connection.secretExpiresAt ?? 0) - this.#now()
        if (seconds <= 0) throw new UserError("no app connected before the token expired; make a new one")
        const deadline = setTimeout(check, Math.min(seconds * 1000 + 50, MAX_TIMER_MS))
        await woken.finally(() => clearTimeout(deadline))
      }
    } finally {
      checks.delete(check)
      if (checks.size === 0) this.#checks.delete(id)
    }
  }
}
