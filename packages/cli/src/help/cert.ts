export const HELP: string = `hauberk cert [names...]: a certificate from your own development CA

  hauberk cert                                 for localhost, 127.0.0.1 and ::1
  hauberk cert app.test '*.app.test'           for a host and the names below it
  hauberk cert 192.168.1.10 --out ./tls        for an address, into another folder

Options
  --out FOLDER    where <name>.pem and <name>-key.pem go            (certs-dev)
  --key KIND      p256, p384, ed25519, rsa2048, rsa3072 or rsa4096  (p256)
  --days DAYS     lifetime, 1 to 825                                (90)
  --force         issue a new one even when the present one is good
  --verbose       show where an error comes from

The CA lives in $HAUBERK_HOME, or in the data folder of your system.
`;
