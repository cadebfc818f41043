/**
 * Returns the form under which failed logins of a user are counted: without spaces at its ends, in
 * Unicode's NFKC, without upper and lower case. `"Alice "`, `"ALICE"` in full-width letters and `"alice"`
 * are one user; whoever guesses passwords gets no fresh budget by another spelling.
 *
 * Count with it, do not look up accounts with it, unless accounts are filed in the same form.
 */
export function normalizeUsername(username: string): string {
  // Upper case first: the lower case of a sharp s is itself, that of its upper case is "ss".
  return username.normalize("NFKC").trim().toUpperCase().toLowerCase().normalize("NFKC");
}
