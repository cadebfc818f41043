export const HELP: string = `hauberk csp: what a Content-Security-Policy allows, and what is wrong with it

  hauberk csp lint https://localhost:8443/     the policy of a site
  hauberk csp lint "default-src 'self'; script-src *"
  hauberk csp lint policy.txt --describe       a file: the policy, or a saved response head
  hauberk csp learn reports.sqlite --policy https://localhost:8443/
                                               what reports would have to change

Commands
  learn      propose changes from the reports in a file of a collector, SQLite or
             JSON lines; never makes them
  lint       list what is wrong or could be better: severity, reason and fix

Options
  --describe      lint: say in words what the policy allows
  --fail-on LEVEL lint: end with 1 from this severity on: high, medium, low, info
                  or never                                          (medium)
  --json          print JSON
  --min-reporters NUMBER
                  learn: clients that must have reported a thing, 1 to 16 (3)
  --policy POLICY learn: the present policy, as lint takes it       (the preset's)
  --preset PRESET learn: site, strict, api or spa                   (site)
  --verbose       show where an error comes from

Exit codes: 0 nothing grave, 1 something is, or there is no policy; 2 called wrongly
`;
