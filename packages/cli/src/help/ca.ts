export const HELP: string = `hauberk ca: the development CA, and who trusts it

  hauberk ca install                           make browsers, curl and Java trust it
  hauberk ca install --sudo                    the same, running what needs root through sudo
  hauberk ca install --store nss               only Firefox and Chromium
  hauberk ca status                            who trusts it
  hauberk ca uninstall                         take it out of every store again
  eval "$(hauberk ca env)"                     make Node.js, git, pip and others trust it

Commands
  env        print the environment variables that name the CA
  install    add the CA to the trust stores; makes it when there is none
  status     list the trust stores and whether they trust the CA
  uninstall  take the CA out of the trust stores; its files stay

Options
  --ca NAME       which CA                                          (authority)
  --ca-dir FOLDER where the CAs are kept                            ($HAUBERK_HOME)
  --store NAME    system, nss, java or windows (from WSL); repeatable (all)
  --sudo          install, uninstall: run commands that need root through sudo
                  rather than print them
  --json          status: print JSON
  --shell SHELL   env: sh, fish, powershell or cmd                  (yours)
  --verbose       show where an error comes from

A Java keystore with another password than "changeit": HAUBERK_JAVA_STOREPASS.
`;
