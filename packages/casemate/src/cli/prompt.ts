import { UserError } from "../config/user-error.js"

const MAX_TYPED = 4_096

/** True when a person sits at this terminal. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true
}

/** Asks without showing what is typed. */
export async function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process
  stderr.write(question)
  stdin.setRawMode(true)
  stdin.setEncoding("utf8")
  stdin.resume()
  let typed = ""
  try {
    for await (const chunk of stdin.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
      for (const c of chunk) {
        if (c === "\r" || c === "\n") return typed
        if (c === "\u0003" || c === "\u0004") throw new UserError("nothing was entered, so nothing was changed")
        if (c === "\u007f" || c === "\b") typed = typed.slice(0, -1)
        else if (c >= " " && typed.length < MAX_TYPED) typed += c
      }
    }
    return typed
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write("\n")
  }
}

/** The first line of standard input, for scripts. */
export async function readPiped(): Promise<string> {
  let text = ""
  process.stdin.setEncoding("utf8")
  for await (const chunk of process.stdin as AsyncIterable<string>) {
    text += chunk
    if (text.length > MAX_TYPED || text.includes("\n")) break
  }
  return text.split("\n", 1)[0] ?? ""
}
