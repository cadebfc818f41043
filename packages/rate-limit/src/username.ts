/**
 * Returns the form under which failed logins of a user are counted: without spaces at its ends, in
 * Unicode's NFKC, without upper and lower case. `"Alice "`, `"ALICE"` in full-width letters and `"alice"`
 * are one user; whoever guesses passwords gets no fresh budget by another spelling.
 *
 * Count with it, do not look up accounts with it, unless accounts are filed in the same form.
 */
export function normalizeUsername(username: string): string {
  // Lower, upper, lower: only the upper case of a small sharp s is "SS", and that of a capital one is itself.
  const folded = username.normalize("NFKC").trim().toLowerCase().toUpperCase().toLowerCase();
  return folded.normalize("NFKC");
}
