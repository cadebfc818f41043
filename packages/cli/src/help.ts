import { readFileSync } from "node:fs";

const GENERAL = `hauberk: certificates, TLS, security headers, rate limits and an HTTPS server

  hauberk serve ./public                       serve a folder on https://localhost:8443/
  hauberk serve ./public --limit 100/1m        at most 100 requests a minute per client
  hauberk cert app.test '*.app.test' 127.0.0.1 make a certificate for development
  hauberk help serve                           all options of a command

Commands
  cert     make or renew a development certificate
  serve    serve static files over hardened HTTPS

Exit codes: 0 done, 1 failed, 2 called wrongly
`;

const CERT = `hauberk cert [names...]: a certificate from your own development CA

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

const SERVE = `hauberk serve [root]: static files over hardened HTTPS

  hauberk serve ./public
  hauberk serve ./public --cert site.pem --key site-key.pem --port 443 --http-port 80
  hauberk serve ./public --preset strict --tls-profile modern --log combined

Options
  --port PORT            HTTPS port                                 (8443)
  --http-port PORT       port that redirects to HTTPS, or "off"     (8080)
  --host HOST            address or name to listen on
                         (localhost; all addresses with --cert)
  --cert FILE            certificate chain, PEM, the leaf first
  --key FILE             its private key, PEM
                         (both are watched and swapped in when they change;
                         without them a development certificate is made)
  --tls-profile PROFILE  Mozilla's intermediate or modern           (intermediate)
  --preset PRESET        security headers: site, strict or api      (site)
  --limit RATE           requests per client, as in 100/1m, or "off" (off)
  --trusted-proxy CIDR   proxies whose X-Forwarded-For is believed; repeatable
  --log FORMAT           access log: json, combined or off          (combined)
  --verbose              show where an error comes from
`;

/** Returns the help of one command, or the general one. */
export function helpText(command: string | undefined): string {
  if (command === "cert") return CERT;
  return command === "serve" ? SERVE : GENERAL;
}

/** Returns the version of this package. */
export function version(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return /"version": "([^"]+)"/.exec(manifest)?.[1] ?? "unknown";
}
