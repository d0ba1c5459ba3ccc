import { parseArgs } from "node:util"
import { CONTESTANTS } from "./contestants.js"

export interface Options {
  readonly rounds: number
  /** Of each signer in each round. */
  readonly seconds: number
  /** Of each signer, once, before the first round; not counted. Compilers are busy for some thousand requests. */
  readonly warmup: number
  readonly inFlight: number
  readonly only: readonly string[]
  /** Where the JSON goes. */
  readonly json: string | undefined
}

export const USAGE = `Usage: npm run bench -- [--rounds 3] [--seconds 3] [--warmup 6] [--in-flight 16]
                       [--only ${CONTESTANTS.map(({ name }) => name).join(",")}] [--json FILE]`

/** @throws an Error with a sentence for whoever typed it */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "3" },
      warmup: { type: "string", default: "6" },
      "in-flight": { type: "string", default: "16" },
      only: { type: "string" },
      json: { type: "string" },
    },
  })
  const names = CONTESTANTS.map(({ name }) => name)
  const only = values.only?.split(",") ?? names
  const unknown = only.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new Error(`--only does not know ${JSON.stringify(unknown)}`)
  return {
    rounds: positive("--rounds", values.rounds, Number.isInteger),
    seconds: positive("--seconds", values.seconds, Number.isFinite),
    warmup: positive("--warmup", values.warmup, Number.isFinite),
    inFlight: positive("--in-flight", values["in-flight"], Number.isInteger),
    only,
    json: values.json,
  }
}

function positive(name: string, text: string, isRight: (value: number) => boolean): number {
  const value = Number(text)
  if (!isRight(value) || value <= 0) throw new Error(`${name} takes a number above 0, not ${JSON.stringify(text)}`)
  return value
}
