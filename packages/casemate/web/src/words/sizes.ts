/** Lines and characters from which on a text has a frame of its own to scroll in. */
const TALL_LINES = 40
const TALL_CHARACTERS = 3_000

export interface TextSize {
  readonly lines: number
  readonly characters: number
  /** It is longer than what one reads between other things. */
  readonly isTall: boolean
}

export function sizeOf(text: string): TextSize {
  const lines = text.split("\n").length
  const characters = Array.from(text).length
  return { lines, characters, isTall: lines > TALL_LINES || characters > TALL_CHARACTERS }
}

/** `1,204 characters on 18 lines` */
export function sizeWords({ lines, characters }: Pick<TextSize, "lines" | "characters">): string {
  const counted = (count: number, one: string) => `${count.toLocaleString("en-GB")} ${one}${count === 1 ? "" : "s"}`
  return lines === 1
    ? counted(characters, "character")
    : `${counted(characters, "character")} on ${counted(lines, "line")}`
}
