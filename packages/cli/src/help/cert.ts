export const HELP: string = `hauberk cert [names...]: a certificate from your own development CA

  hauberk cert                                 for localhost, 127.0.0.1 and ::1
  hauberk cert app.test '*.app.test'           for a host and the names below it
  hauberk cert 192.168.1.10 --out ./tls        for an address, into another folder
  hauberk cert --client ada@app.test           for a client
  hauberk cert --watch                         and renew it until stopped
  hauberk cert --csr app.csr                   for the key and the names of a request
  hauberk cert app.test --format p12           and as PKCS#12, with a random password

Options
  --out FOLDER    where <name>.pem and <name>-key.pem go            (certs-dev)
  --name NAME     the file name rather than one made of the names
  --key KIND      p256, p384, ed25519, rsa2048, rsa3072 or rsa4096  (p256)
  --days DAYS     lifetime, 1 to 825, to 7300 with --long-lived     (90)
  --long-lived    allow more than 825 days, which Apple platforms refuse
  --org TEXT      organization in the subject
  --client        for TLS clients rather than servers
  --both          for clients and servers
  --webtransport  one that browsers take by its hash: P-256, 14 days
  --expired       one that ended a day ago, for tests
  --force         issue a new one even when the present one is good
  --watch         renew it before it ends, until SIGINT or SIGTERM
  --csr FILE      sign a request, - for standard input; writes <name>-csr.pem
  --format FORM   write it also as chain, der, p12, jks, kubernetes or haproxy; repeatable
  --legacy        p12 and jks for old importers: Triple DES and SHA-1
  --ask-password  ask for the password of p12 and jks rather than make one up
  --password-env VARIABLE
                  take it from there                       (HAUBERK_PASSWORD)
  --ca NAME       which CA signs                                    (authority)
  --ca-dir FOLDER where the CAs are kept                            ($HAUBERK_HOME)
  --permit NAME   a host name with all below it, an address or a range that a CA made
                  by this call may sign besides those for development; repeatable
  --unconstrained a CA made by this call may sign for everything: dangerous
  --passphrase-env VARIABLE
                  where the passphrase of the CA is        (HAUBERK_CA_PASSPHRASE)
  --verbose       show where an error comes from

The CA lives in $HAUBERK_HOME, or in the data folder of your system: hauberk ca show.
A passphrase is asked for at the terminal unless the variable holds it; a CA that is made
while the variable is set is encrypted with it.
`;
