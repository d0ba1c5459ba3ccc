import { createInterface } from "node:readline"
import { UserError } from "../config/user-error.js"

const MAX_TYPED = 4_096
const NOTHING = "nothing was entered, so nothing was changed"

/** True when a person sits at this terminal. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true
}

/**
 * Asks without showing what is typed.
 *
 * @throws UserError when the person leaves (Ctrl-C, Ctrl-D), the terminal goes away or the signal fires
 */
export async function askHidden(question: string, { signal }: { signal?: AbortSignal } = {}): Promise<string> {
  const { stdin, stderr } = process
  const listening = new AbortController()
  // First: what is typed as soon as the question shows must not be echoed.
  stdin.setRawMode(true)
  stderr.write(question)
  stdin.setEncoding("utf8")
  try {
    return await new Promise<string>((resolve, reject) => {
      const leave = (): void => reject(new UserError(NOTHING))
      let typed = ""
      const onData = (chunk: string): void => {
        for (const c of chunk) {
          if (c === "\r" || c === "\n") resolve(typed)
          else if (c === "\u0003" || c === "\u0004") leave()
          else if (c === "\u0015") typed = ""
          else if (c === "\u007f" || c === "\b") typed = typed.slice(0, -1)
          else if (c >= " " && typed.length < MAX_TYPED) typed += c
        }
      }
      stdin.on("data", onData).once("end", leave).once("error", leave)
      listening.signal.addEventListener("abort", () => {
        stdin.off("data", onData).off("end", leave).off("error", leave)
        signal?.removeEventListener("abort", leave)
      })
      if (signal?.aborted) leave()
      signal?.addEventListener("abort", leave)
      stdin.resume()
    })
  } finally {
    listening.abort()
    if (!stdin.destroyed) stdin.setRawMode(false)
    stdin.pause()
    stderr.write("\n")
  }
}

/**
 * Asks for a yes; anything else is a no.
 *
 * @throws UserError when the person leaves (Ctrl-C, Ctrl-D) or the terminal goes away
 */
export async function askYes(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      terminal.once("close", () => reject(new UserError(NOTHING)))
      terminal.question(`${question} [y/N] `, resolve)
    })
    return /^(?:y|yes)$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}

/** The first line of standard input, for scripts. @throws UserError when there is none */
export async function readPiped(): Promise<string> {
  let text = ""
  process.stdin.setEncoding("utf8")
  for await (const chunk of process.stdin as AsyncIterable<string>) {
    text += chunk
    if (text.length > MAX_TYPED || text.includes("\n")) break
  }
  const line = text.split("\n", 1)[0]?.trim() ?? ""
  if (line === "") throw new UserError("no key came in: pipe it in, such as with < nsec.txt, or run this on a terminal")
  return line
}
