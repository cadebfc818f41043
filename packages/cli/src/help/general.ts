export const HELP: string = `hauberk: certificates, TLS, security headers, rate limits and an HTTPS server

  hauberk serve ./public                       serve a folder on https://localhost:8443/
  hauberk serve ./public --limit 100/1m        at most 100 requests a minute per client
  hauberk cert app.test '*.app.test' 127.0.0.1 make a certificate for development
  hauberk help serve                           all options of a command

Commands
  ca       make browsers and programs trust your development CA
  cert     make or renew a development certificate
  csp      what a Content-Security-Policy allows, and what is wrong with it
  inspect  what certificates, requests, keys and servers say, and what is wrong
  serve    serve static files over hardened HTTPS
  verify   would a client accept this certificate?

Options
  --help, -h     this text; after a command, its own
  --version, -v  the version
  --verbose      after a command: show where an error comes from

Exit codes: 0 done, 1 failed, 2 called wrongly
`;
