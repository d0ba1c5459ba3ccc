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
  return /^(?:y|yes)$/i.test(await ask(`${question} [y/N] `))
}

/**
 * Asks for a line, and shows it as it is typed.
 *
 * @throws UserError when the person leaves (Ctrl-C, Ctrl-D) or the terminal goes away
 */
export async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      terminal.once("close", () => reject(new UserError(NOTHING)))
      terminal.question(question, resolve)
    })
    return answer.trim()
  } finally {
    terminal.close()
  }
}

/**
 * The first lines of standard input, for scripts: one, and more as long as it is not enough. Fewer when there are no
 * more; none when it is empty.
 */
export async function readPiped(isEnough: (lines: readonly string[]) => boolean = () => true): Promise<string[]> {
  const lines: string[] = []
  let rest = ""
  process.stdin.setEncoding("utf8")
  for await (const chunk of process.stdin as AsyncIterable<string>) {
    const [last = "", ...whole] = (rest + chunk).split("\n").reverse()
    rest = last
    for (const line of whole.reverse()) {
      lines.push(line.replace(/\r$/, ""))
      if (isEnough(lines)) return lines
    }
    if (rest.length > MAX_TYPED) break
  }
  return rest === "" ? lines : [...lines, rest]
}
