/** Controls, format and direction marks, line separators, lone surrogates, and letters and signs that have no ink. */
export const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u2800\u3164\uffa0\u{13441}\u{13442}\u{16fe4}\u{1d159}]|\p{Default_Ignorable_Code_Point}/gu

/** What somebody else wrote, made safe for a screen: no control characters, no direction tricks, nothing unseen. */
export function safe(text: string): string {
  return text.replace(UNSEEN, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`)
}
