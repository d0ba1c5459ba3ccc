import { isLoopbackRelay, isPrivateAddress } from "@casemate/nip46/protocol"

export interface VettedRelays {
  /** To be dialled. */
  readonly relays: readonly string[]
  /** Those of them that only the token vouches for: the gateway looks where their names lead, at each dial. */
  readonly guarded: readonly string[]
  /** Not to be dialled, and why. */
  readonly refused: readonly { readonly url: string; readonly why: string }[]
}

/**
 * Sorts the relays of a token that somebody else wrote. The owner's own relays are as good as ever, and one
 * on this computer is allowed: an app that runs here meets us there, and the owner is shown it. Any other must
 * be encrypted and public, unless the owner allows private ones.
 */
export function vetRelays(
  urls: readonly string[],
  { trusted, allowPrivate }: { trusted: readonly string[]; allowPrivate: boolean },
): VettedRelays {
  const guarded: string[] = []
  const refused: { url: string; why: string }[] = []
  for (const url of urls) {
    if (allowPrivate || trusted.includes(url) || isLoopbackRelay(url)) continue
    const why = flawOf(url)
    if (why === undefined) guarded.push(url)
    else refused.push({ url, why })
  }
  return { relays: urls.filter((url) => refused.every((each) => each.url !== url)), guarded, refused }
}

function flawOf(url: string): string | undefined {
  const { protocol, hostname } = new URL(url)
  if (protocol !== "wss:") return "it is not encrypted"
  return isPrivateAddress(hostname) ? "it lies in a private network" : undefined
}
