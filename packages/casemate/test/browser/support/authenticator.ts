import type { CDPSession, Page } from "playwright-core"

/** A passkey as the browser's own tools hand it over. */
export interface StoredPasskey {
  readonly credentialId: string
  readonly isResidentCredential: boolean
  readonly rpId?: string
  readonly privateKey: string
  readonly userHandle?: string
  readonly signCount: number
}

/** A platform authenticator that is always touched at once, by its rightful owner unless told otherwise. */
export class Authenticator {
  readonly #cdp: CDPSession
  readonly #id: string

  private constructor(cdp: CDPSession, id: string) {
    this.#cdp = cdp
    this.#id = id
  }

  /** For one page, from now on. `passkeys`: what another one held; of two that count on, one is taken for a copy. */
  static async add(page: Page, passkeys: readonly StoredPasskey[] = []): Promise<Authenticator> {
    const cdp = await page.context().newCDPSession(page)
    await cdp.send("WebAuthn.enable")
    const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    for (const credential of passkeys) await cdp.send("WebAuthn.addCredential", { authenticatorId, credential })
    return new Authenticator(cdp, authenticatorId)
  }

  async passkeys(): Promise<readonly StoredPasskey[]> {
    const { credentials } = await this.#cdp.send("WebAuthn.getCredentials", { authenticatorId: this.#id })
    return credentials
  }

  /** False: somebody else's finger. */
  async verifiesUser(isUserVerified: boolean): Promise<void> {
    await this.#cdp.send("WebAuthn.setUserVerified", { authenticatorId: this.#id, isUserVerified })
  }
}
