import { spawn } from "node:child_process"
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import { casemate, makeFolders, startBunker } from "./support/bunker.js"

/**
 * The files in transcripts/ read like a terminal: `$ command`, what it prints (stdout and stderr as they
 * come), `[exit N]`. Each file runs in one shell, in an empty folder, beside one running bunker. What differs
 * from run to run is written as a placeholder. After a change of wording:
 * `CASEMATE_UPDATE_TRANSCRIPTS=1 npx vitest run cli-transcripts`, then read the diff.
 */
const FOLDER = fileURLToPath(new URL("./transcripts/", import.meta.url))
const UPDATE = process.env["CASEMATE_UPDATE_TRANSCRIPTS"] === "1"
const MARK = "\u0001"
const TEST_MS = 180_000
/** A shell that is not done by then is ended with all that it started, and its test says what is missing. */
const SHELL_MS = 150_000

/** Longest first: a token holds a pubkey. */
const PLACEHOLDERS: readonly (readonly [RegExp, string])[] = [
  [/bunker:\/\/[0-9a-f]{64}\?\S*?secret=[0-9a-f]{32}/g, "<token>"],
  [/npub1[02-9ac-hj-np-z]{58}/g, "<npub>"],
  [/ncryptsec1[02-9ac-hj-np-z]{152}/g, "<ncryptsec>"],
  [/(?:[ \u2580-\u259f]{40,}\n)+/g, "<QR code>\n"],
  // Whether a name is known not to be one within 4 s is up to the network.
  [/ {2}no relay of it can be reached now \(wss:\/\/relay\.example\.com: .*\n/g, ""],
  [/\b[0-9a-f]{64}\b/g, "<pubkey>"],
  [/\b[0-9a-f]{32}\b/g, "<secret>"],
  [/\b[0-9a-f]{16}\b/g, "<id>"],
  [/\b\d{4}-\d\d-\d\d \d\d:\d\d\b/g, "<time>"],
  [/\b1\d{9}\b/g, "<unix>"],
  [/(localhost|127\.0\.0\.1):(?!4646)\d{4,5}\b/g, "$1:<port>"],
]

/** Runs a command until it prints a text, then stops it as Ctrl-C or systemd would. */
const STOP_AT = `#!/bin/sh
text=$1; shift
pipe=$(mktemp -u); mkfifo "$pipe"
"$@" > "$pipe" 2>&1 &
while IFS= read -r line; do
  printf '%s\\n' "$line"
  case $line in *"$text"*) kill $! ;; esac
done < "$pipe"
rm "$pipe"
wait $!
`

const files = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"))

test("there are transcripts", () => {
  expect(files.length).toBeGreaterThan(3)
})

test.concurrent.each(files)("the terminal shows what is in %s", { timeout: TEST_MS }, async (name) => {
  const expected = readFileSync(join(FOLDER, name), "utf8")
  const folders = makeFolders()
  const data = join(folders.root, "casemate")
  const bunker = await startBunker({ ...folders, data })
  try {
    const port = new URL(bunker.ready.http).port
    const output = await runShell(scriptOf(expected), folders.root, {
      ...folders.env,
      XDG_DATA_HOME: folders.root,
      // A relay that nobody runs is not the news here.
      CASEMATE_LOG_LEVEL: "error",
      PORT: port,
    })
    expect(output, "a secret key on the screen").not.toMatch(/nsec1[a-z0-9]{20}/)
    const shown = withPlaceholders(output.replaceAll(`${folders.root}/`, "<folder>/"))
    const actual = weave(expected, shown.split(MARK).slice(1))
    if (UPDATE) writeFileSync(join(FOLDER, name), actual)
    expect(actual).toBe(expected)
  } finally {
    expect(await bunker.stop()).toBe(0)
    folders.remove()
  }
})

function scriptOf(transcript: string): string {
  const commands = transcript.split("\n").filter((line) => line.startsWith("$ "))
  expect(commands.length).toBeGreaterThan(0)
  return commands.map((line) => `printf '${MARK}'\n${line.slice(2)}\nprintf '[exit %s]\\n' $?\n`).join("")
}

function runShell(script: string, root: string, env: NodeJS.ProcessEnv): Promise<string> {
  const bin = join(root, "bin")
  const home = join(root, "home")
  mkdirSync(bin)
  mkdirSync(home)
  for (const [name, text] of [
    ["casemate", `#!/bin/sh\nexec "${process.execPath}" "${casemate}" "$@"\n`],
    ["stop-at", STOP_AT],
  ] as const) {
    writeFileSync(join(bin, name), text)
    chmodSync(join(bin, name), 0o755)
  }
  const PATH = `${bin}:${env["PATH"]}`
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", `exec 2>&1 </dev/null\n${script}`], {
      cwd: home,
      env: { ...env, HOME: home, PATH, LC_ALL: "C.UTF-8" },
      detached: true,
    })
    const patience = setTimeout(() => process.kill(-(child.pid as number), "SIGKILL"), SHELL_MS)
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk
    })
    child.once("error", reject).once("close", () => {
      clearTimeout(patience)
      resolve(output)
    })
  })
}

function withPlaceholders(text: string): string {
  return PLACEHOLDERS.reduce((shown, [pattern, placeholder]) => shown.replace(pattern, placeholder), text)
}

/** The transcript with what really came out in place of what was expected; comments stay. */
function weave(transcript: string, outputs: readonly string[]): string {
  let next = 0
  let inside = false
  return transcript
    .split("\n")
    .flatMap((line) => {
      if (line.startsWith("$ ")) {
        inside = true
        return [line, ...(outputs[next++] ?? "nothing ran").trimEnd().split("\n")]
      }
      const hidden = inside
      if (line.startsWith("[exit ")) inside = false
      return hidden ? [] : [line]
    })
    .join("\n")
}
