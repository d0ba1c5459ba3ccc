/**
 * Controls, format and direction marks, line separators, lone surrogates, letters and signs that have no ink, and marks
 * that pile up over a letter, beyond what any script writes: they would cover the lines around it.
 */
export const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u2800\u3164\uffa0\u{13441}\u{13442}\u{16fe4}\u{1d159}]|\p{Default_Ignorable_Code_Point}|(?<=[\p{Mn}\p{Me}]{5})[\p{Mn}\p{Me}]/gu

/** What somebody else wrote, made safe for a screen: no control characters, no direction tricks, nothing unseen or covered. */
export function safe(text: string): string {
  return text.replace(UNSEEN, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`)
}
