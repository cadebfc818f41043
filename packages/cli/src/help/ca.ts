export const HELP: string = `hauberk ca: the development CA, and who trusts it

  hauberk ca create --permit example.com --encrypt
                                               make one by hand, wider, with a passphrase
  hauberk ca show                              what it is and what is wrong with it
  hauberk ca rotate                            put a new one in its place, keep the old one
  hauberk ca export --out ca.pem               its certificate for another machine
  hauberk ca install                           make browsers, curl and Java trust it
  hauberk ca install --sudo                    the same, running what needs root through sudo
  hauberk ca install --store nss               only Firefox and Chromium
  hauberk ca status                            who trusts it
  hauberk ca uninstall                         take it out of every store again
  eval "$(hauberk ca env)"                     make Node.js, git, pip and others trust it

Commands
  create     make a CA with options of its own; hauberk cert makes one without
  env        print the environment variables that name the CA
  export     write the certificate, as PEM or DER; the key only with --with-key
  install    add the CA to the trust stores; makes it when there is none
  rotate     make a new CA; says what has to be trusted and renewed
  show       print names, validity, key, constraints, files and health; exit code 1
             when something is wrong
  status     list the trust stores and whether they trust the CA
  uninstall  take the CA out of the trust stores; its files stay

Options
  --ca NAME       which CA                                          (authority)
  --ca-dir FOLDER where the CAs are kept                            ($HAUBERK_HOME)
  --permit NAME   create, rotate: a host name with all below it, an address or a range
                  that it may sign besides those for development; repeatable
  --unconstrained create, rotate: it may sign for everything: dangerous
  --constrained   rotate: only names for development, whatever the old one could sign
  --key KIND      create, rotate: p256, p384, ed25519, rsa2048, rsa3072 or rsa4096 (p256)
  --encrypt       create, rotate: ask for a passphrase that protects the key
  --no-encrypt    rotate: store the new key without one though the old one had it
  --passphrase-env VARIABLE
                  where the passphrase is                  (HAUBERK_CA_PASSPHRASE)
  --certs FOLDER  rotate: where to look for certificates of the old CA (certs-dev)
  --out FILE      export: write there rather than print
  --der           export: DER rather than PEM
  --with-key      export: the private key too, as <FILE>-key.pem: dangerous
  --force         export: replace files
  --store NAME    system, nss, java or windows (from WSL); repeatable (all)
  --sudo          install, uninstall: run commands that need root through sudo
                  rather than print them
  --json          show, status: print JSON
  --shell SHELL   env: sh, fish, powershell or cmd                  (yours)
  --verbose       show where an error comes from

A Java keystore with another password than "changeit": HAUBERK_JAVA_STOREPASS.
`;
