export const HELP: string = `hauberk inspect <file | host:port | ->: what certificates say and what is wrong with them

  hauberk inspect certs-dev/localhost+2.pem    a file: PEM, DER or PKCS#12
  hauberk inspect example.com:443              what a server sends, in its order
  hauberk inspect https://[::1]:8443/ --server-name app.test --ca ca.pem
  openssl req -new ... | hauberk inspect -     a signing request from another program
  hauberk inspect example.com:443 --expires-in 14d || mail admin@example.com

Options
  --json          everything, as JSON
  --expires-in T  say nothing, and exit with 1 if a certificate ends within T:
                  a number with m, h, d or w
  --server-name N the name to ask a server for                      (the host)
  --ca FILE       judge a server by this CA rather than those Node trusts; repeatable
  --password-env VARIABLE
                  where the password of a file is           (HAUBERK_PASSWORD)
  --verbose       show where an error comes from

Looks for the private key beside the file (name-key.pem, name.key, privkey.pem) and says if it
belongs to another certificate. The exit code is 0 also when something is wrong: hauberk verify
judges.
`;
