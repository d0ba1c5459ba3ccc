import type { Page } from "playwright-core"
import { type Bunker, type Folders, makeFolders, runJson } from "../../support/bunker.js"
import { startWithPages } from "../../support/pages.js"
import { Authenticator } from "./authenticator.js"
import { type Chromium, startChromium } from "./chromium.js"
import { joinByPasskey } from "./owner-page.js"
import { openWatched, type Watched } from "./watched.js"

/** A running bunker with its pages, and a browser that may go there and nowhere else. */
export interface OwnerBench {
  readonly folders: Folders
  readonly bunker: Bunker
  readonly origin: string
  readonly chromium: Chromium
  /** The link that makes an owner. */
  invite(): Promise<string>
  /** A browser of somebody's. */
  visit(): Promise<Watched>
  close(): Promise<void>
}

export interface OwnerBenchOptions {
  /** Where something else stands before the bunker. */
  readonly publicUrl?: string
  /** Where the browser may go as well. */
  readonly hosts?: readonly string[]
}

export async function startOwnerBench({ publicUrl, hosts = [] }: OwnerBenchOptions = {}): Promise<OwnerBench> {
  const folders = makeFolders()
  const cleanups: (() => unknown)[] = [() => folders.remove()]
  const undo = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  }
  try {
    const { bunker, origin } = await startWithPages(folders, publicUrl)
    cleanups.push(async () => {
      const code = await bunker.stop()
      if (code !== 0) throw new Error(`the bunker ended with ${code}: ${bunker.log()}`)
    })
    const chromium = await startChromium({ hosts: [new URL(origin).host, ...hosts] })
    cleanups.push(() => chromium.close())
    return {
      folders,
      bunker,
      origin,
      chromium,
      invite: async () => (await runJson<{ url: string }>(folders, ["owner", "invite"])).url,
      visit: () => openWatched(chromium.browser, origin),
      close: undo,
    }
  } catch (error) {
    await undo()
    throw error
  }
}

/** A browser in which an owner is signed in, with the passkey by which. */
export async function visitAsOwner(
  bench: OwnerBench,
  name = "ada",
): Promise<Watched & { readonly authenticator: Authenticator }> {
  const watched = await bench.visit()
  const authenticator = await Authenticator.add(watched.page)
  await joinByPasskey(watched.page, await bench.invite(), name)
  return { ...watched, authenticator }
}

/** What is said on the page, in order. */
export function wordsOf(page: Page): Promise<string> {
  return page.locator("main").innerText()
}
