import { MAX_TOKEN_CHARS } from "@casemate/nip46/protocol"
import { UsageError } from "../usage.js"
import { readQrImage } from "./qr-image.js"

export interface TokenSource {
  qr?: string
}

/**
 * The token that a command is about: its argument, standard input for `-`, or the QR code of an image.
 *
 * @throws UsageError when none is given, or two are
 */
export async function readToken(argument: string | undefined, { qr }: TokenSource): Promise<string> {
  if (argument !== undefined && qr !== undefined) {
    throw new UsageError("a token and --qr were given; give one of them")
  }
  if (qr !== undefined) return readQrImage(qr)
  if (argument === undefined) {
    throw new UsageError("there is no token; give it in quotes, or - for standard input, or --qr with an image")
  }
  return argument === "-" ? readStdin() : argument
}

/** No more than what is too long already. */
async function readStdin(): Promise<string> {
  let text = ""
  process.stdin.setEncoding("utf8")
  for await (const chunk of process.stdin as AsyncIterable<string>) {
    text += chunk
    if (text.trim().length > MAX_TOKEN_CHARS) break
  }
  if (text.trim() === "") throw new UsageError("no token came in on standard input")
  return text
}
