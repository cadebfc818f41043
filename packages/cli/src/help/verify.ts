export const HELP: string = `hauberk verify <certificate>: would a client accept it?

  hauberk verify certs-dev/app.test.pem --ca ca.pem --host app.test
  hauberk verify fullchain.pem --host example.com --at 2027-01-31
  hauberk verify leaf.pem --ca root.pem --intermediate issuing-ca.pem

Options
  --ca FILE       trust this CA; repeatable               (the public ones of Node)
  --intermediate FILE
                  certificates that may stand in between, besides those that follow in
                  the file itself; repeatable
  --host NAME     host name or IP address that it has to be for            (any)
  --at DATE       the time to judge for, such as 2027-01-31T12:00Z         (now)
  --client        for a TLS client rather than a server
  --verbose       show where an error comes from

Judges signatures, dates, CA flags, path lengths, usages, name constraints and strength, as strictly
as openssl verify -x509_strict -auth_level 2. Does not ask whether it was revoked.
Exit codes: 0 valid, 1 not valid or not readable, 2 called wrongly
`;
