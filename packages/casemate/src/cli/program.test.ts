import { spawnSync } from "node:child_process"
import type { Command } from "commander"
import { describe, expect, it, test } from "vitest"
import { completionScript, SHELLS } from "./completion-scripts.js"
import { completionTree } from "./completion-tree.js"
import { pathOf } from "./help.js"
import { createProgram } from "./program.js"

const program = createProgram()
const commands = allOf(program)
const tree = completionTree(program)

function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)]
}

function helpOf(command: Command): string {
  let text = ""
  command.configureOutput({
    writeOut: (part) => {
      text += part
    },
  })
  command.outputHelp()
  return text
}

it("there are commands", () => {
  expect(commands.length).toBeGreaterThan(15)
  expect(tree.map(({ path }) => path)).toEqual(expect.arrayContaining(["", "keys list", "uri nostrconnect"]))
})

describe("the help of", () => {
  test.each(commands.map((command) => [pathOf(command).join(" "), command] as const))(
    "%s is a page",
    (path, command) => {
      const help = helpOf(command)
      expect(command.description()).not.toBe("")
      for (const section of [`Usage: ${path}`, "\nOptions:\n", "\nExit codes:\n  0  "]) expect(help).toContain(section)
      expect(help).toMatch(/\nExamples?:\n {2}\$ casemate /)
      if (command !== program) expect(help).toMatch(/\nSee also:\n {2}casemate /)
      // The examples of a page are about its own command.
      const examples = help.slice(help.search(/\nExamples?:/)).match(/^ {2}\$ .*casemate .*$/gm) ?? []
      for (const example of examples) expect(example).toContain(path)
    },
  )
})

/** What bash offers after these words. */
function bashOffers(words: readonly string[]): string[] {
  const list = words.map((word) => `'${word}'`).join(" ")
  const { stdout, stderr } = spawnSync(
    "bash",
    [
      "-c",
      `${completionScript("bash", tree)}
COMP_WORDS=(casemate ${list}); COMP_CWORD=${words.length}; _casemate; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ],
    { encoding: "utf8" },
  )
  expect(stderr).toBe("")
  return stdout.split("\n").filter((word) => word !== "")
}

describe("completion", () => {
  it.each(tree.map((node) => [node.path, node] as const))("bash knows what comes after casemate %s", (path, node) => {
    const typed = path === "" ? [] : path.split(" ")
    expect(bashOffers([...typed, ""])).toEqual([
      ...node.commands.map(({ name }) => name),
      ...node.choices,
      ...node.options.map(({ flag }) => flag),
    ])
    for (const { flag, takesValue } of node.options) {
      expect(bashOffers([...typed, flag])).toContain(flag)
      if (takesValue) expect(bashOffers([...typed, flag, ""])).toEqual([])
    }
  })

  it("passes over flags before a command, and offers nothing for what is none", () => {
    expect(bashOffers(["uri", "val"])).toEqual(["validate"])
    expect(bashOffers(["uri", "validate", "--q"])).toEqual(["--qr"])
    expect(bashOffers(["keys", "--json", "list", "--d"])).toEqual(["--data-dir"])
    expect(bashOffers(["uri", "frob"])).toEqual([])
  })

  it.each(SHELLS)("the script for %s names every command and every flag", (shell) => {
    const script = completionScript(shell, tree)
    for (const { path, options } of tree) {
      expect(script).toContain(`'${path}'`)
      for (const { flag } of options) expect(script).toContain(shell === "fish" ? ` -l ${flag.slice(2)} ` : flag)
    }
  })

  it("a description cannot end the quotes that it stands in", () => {
    const node = { path: "", commands: [{ name: "x", description: "it's \\ $(no)" }], options: [], choices: [] }
    expect(completionScript("zsh", [node])).toContain(`'x:it'\\''s \\ $(no)'`)
    expect(completionScript("fish", [node])).toContain(`'it\\'s \\\\ $(no)'`)
  })
})
