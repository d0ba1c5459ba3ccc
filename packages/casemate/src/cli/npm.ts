/** Variables that npm, npx and their like give to what they start. */
const VARIABLES = ["npm_lifecycle_event", "npm_command", "npm_execpath"] as const

/** Whether `npm start`, another script or `npx` runs us: then a shell may stand between, which passes no signal on. */
export function isRunByNpm(env: NodeJS.ProcessEnv): boolean {
  return VARIABLES.some((name) => env[name] !== undefined)
}
