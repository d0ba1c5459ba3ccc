/** Variables that npm, npx and their like give to what they start. */
const VARIABLES = ["npm_lifecycle_event", "npm_command", "npm_execpath"] as const

/** Whether `npm start`, another script or `npx` runs us: then a shell may stand between, which passes no signal on. */
export function isRunByNpm(env: NodeJS.ProcessEnv): boolean {
  return VARIABLES.some((name) => env[name] !== undefined)
}

/** What to type to run casemate again as this one was run: a clone has it only by way of npx. */
export function commandName(env: NodeJS.ProcessEnv = process.env): string {
  return isRunByNpm(env) ? "npx casemate" : "casemate"
}

/** Hints and examples are written with `casemate`; this is how they are shown. */
export function asTyped(text: string, env: NodeJS.ProcessEnv = process.env): string {
  return text.replace(/(?<=`|\$ |Usage: )casemate(?= )/g, commandName(env))
}
