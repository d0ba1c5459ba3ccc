import { type Browser, chromium } from "playwright-core"
import { chromiumPath } from "../../support/needs.js"
import { type Outside, startOutside } from "./outside.js"

/** A browser with a profile of its own, and everything that left it for other places than it may go to. */
export interface Chromium {
  readonly browser: Browser
  readonly outside: Outside
  close(): Promise<void>
}

export interface ChromiumOptions {
  /** Where it may go, `localhost:4646`; everything else ends at `outside`, the rest of this machine included. */
  readonly hosts: readonly string[]
}

/** Nothing of the browser's own on the network, so that what is there was the page's. */
const QUIET = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-domain-reliability",
  // Peers are found by UDP, which no proxy sees.
  "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
]

export async function startChromium({ hosts }: ChromiumOptions): Promise<Chromium> {
  const outside = await startOutside()
  try {
    const browser = await chromium.launch({
      ...(chromiumPath !== undefined && { executablePath: chromiumPath }),
      // Chromium does not start its sandbox for root.
      chromiumSandbox: process.getuid?.() !== 0,
      args: [...QUIET, `--proxy-server=${outside.url}`, `--proxy-bypass-list=${["<-loopback>", ...hosts].join(";")}`],
    })
    return {
      browser,
      outside,
      async close() {
        await browser.close()
        await outside.close()
      },
    }
  } catch (error) {
    await outside.close()
    throw error
  }
}
