import { TOTP } from "otpauth"
import type { Page } from "playwright-core"

/** What an owner does in a browser, by the words on the page. */

/** With the authenticator that the page has. Leads to what waits. A passkey takes a page that has the focus. */
export async function joinByPasskey(page: Page, url: string, name: string): Promise<readonly string[]> {
  await page.goto(url)
  await page.getByLabel("Your name here").fill(name)
  await page.bringToFront()
  await page.getByRole("button", { name: "Join with a passkey" }).click()
  return keepCodes(page)
}

export interface PasswordOwner {
  readonly name: string
  readonly password: string
  /** Of the authenticator app. */
  readonly secret: string
  readonly codes: readonly string[]
}

export async function joinByPassword(page: Page, url: string, name: string, password: string): Promise<PasswordOwner> {
  await page.goto(url)
  await page.getByLabel("Your name here").fill(name)
  await page.getByRole("button", { name: "Use a password and an authenticator app instead" }).click()
  const region = page.getByRole("region", { name: "Password and authenticator app" })
  const secret = (await region.locator("code").innerText()).replaceAll(" ", "")
  await region.getByLabel("Code from your authenticator app").fill(codeOf(secret, "now"))
  await region.getByLabel("New password").fill(password)
  await region.getByRole("button", { name: "Join", exact: true }).click()
  return { name, password, secret, codes: await keepCodes(page) }
}

/**
 * Six digits. A code is taken once, and none before it any more; those of the step before and after are taken too. So
 * `next` is good after `now` was used, and either for 30 s at least, whenever it is made.
 */
export function codeOf(secret: string, which: "now" | "next"): string {
  return new TOTP({ secret }).generate({ timestamp: Date.now() + (which === "next" ? 30_000 : 0) })
}

async function keepCodes(page: Page): Promise<readonly string[]> {
  await page.getByRole("heading", { name: "Keep your recovery codes" }).waitFor()
  const codes = await page.getByRole("listitem").allInnerTexts()
  await page.getByLabel("I have kept them").check()
  await page.getByRole("button", { name: "Go on" }).click()
  await page.getByRole("heading", { name: "Waiting for you" }).waitFor()
  return codes
}

export async function signInByPasskey(page: Page): Promise<void> {
  await page.bringToFront()
  await page.getByRole("button", { name: "Sign in with a passkey" }).click()
}

export async function signInByPassword(page: Page, { name, password }: PasswordOwner, code: string): Promise<void> {
  const region = page.getByRole("region", { name: "With a password" })
  await region.getByLabel("Your name here").fill(name)
  await region.getByLabel("Password").fill(password)
  await region.getByLabel("Code from your authenticator app").fill(code)
  await region.getByRole("button", { name: "Sign in with the password" }).click()
}

export async function signInByRecoveryCode(page: Page, name: string, code: string): Promise<void> {
  await page.getByRole("button", { name: "Use a recovery code instead" }).click()
  const region = page.getByRole("region", { name: "With a recovery code" })
  await region.getByLabel("Your name here").fill(name)
  await region.getByLabel("Recovery code").fill(code)
  await region.getByRole("button", { name: "Sign in with the code" }).click()
}

export type Choice = "Approve once" | "For 1 hour" | "Always" | "Deny" | "Deny and block"

/** Decides the request that the page shows, and waits until the page says so. */
export async function decideOn(page: Page, choice: Choice): Promise<void> {
  await page.getByRole("button", { name: choice, exact: true }).click()
  const outcome = choice.startsWith("Deny") ? "Denied." : "Approved."
  await page.getByRole("heading", { name: outcome }).waitFor()
}
