export const HELP: string = `hauberk serve [root]: static files over hardened HTTPS

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
  --preset PRESET        security headers: site, strict, spa or api (site)
  --limit RATE           requests per client, as in 100/1m, or "off" (off)
  --trusted-proxy CIDR   proxies whose X-Forwarded-For is believed; repeatable
  --reports FILE         take what browsers report as blocked, into an SQLite
                         (.sqlite) or JSON lines (.jsonl) file; shown under
                         /.well-known/reports/ to this machine, or to whoever
                         knows the token in HAUBERK_REPORTS_TOKEN
  --integrity            give scripts and stylesheets of pages their integrity
  --log FORMAT           access log: json, combined or off          (combined)
  --verbose              show where an error comes from
`;
