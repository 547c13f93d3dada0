/** One setting of the vault, as `--help` and docs/settings.md show it. */
export interface Setting {
  name: string
  /** The flag of `authconn-server` that sets it, where there is one. */
  flag?: string
  /** In words, as the default depends on the machine for some. */
  default: string
  description: string
}

export const settings = [
  {
    name: 'AUTHCONN_HOST',
    flag: '--host <host>',
    default: '127.0.0.1',
    description:
      'Address to listen on. Before making it reachable from elsewhere give it a certificate, or put a TLS proxy in front.',
  },
  {
    name: 'AUTHCONN_PORT',
    flag: '--port <port>',
    default: '7345',
    description: 'Port to listen on; 0 takes any free one.',
  },
  {
    name: 'AUTHCONN_TLS_CERT_FILE',
    default: 'none: plain HTTP',
    description:
      'A file with a certificate in PEM and those between it and the root: the vault then speaks HTTPS alone. Read again on SIGHUP, and within a minute of a change.',
  },
  {
    name: 'AUTHCONN_TLS_KEY_FILE',
    default: 'none',
    description:
      'A file with the key of that certificate in PEM, without a passphrase, readable by its owner alone.',
  },
  {
    name: 'AUTHCONN_MAX_CONNECTIONS',
    default: '10000',
    description:
      'Most connections of clients at a time, 10 to 1000000. Beyond them those that have sent no request make room.',
  },
  {
    name: 'AUTHCONN_DATA_DIR',
    flag: '--data-dir <dir>',
    default: '$XDG_DATA_HOME/authconn, or ~/.local/share/authconn',
    description:
      'Directory for the embedded database, the key file and the credentials of the local command line. Created with mode 0700.',
  },
  {
    name: 'DATABASE_URL',
    default: 'none: the embedded database in the data directory',
    description: 'postgres://… of a PostgreSQL server (tested with 18). Needed for more than one vault process.',
  },
  {
    name: 'DATABASE_URL_FILE',
    default: 'none',
    description: 'A file that holds DATABASE_URL, such as a mounted secret.',
  },
  {
    name: 'AUTHCONN_DATABASE_POOL_SIZE',
    default: '10',
    description: 'Most connections this process opens to PostgreSQL, 1 to 200.',
  },
  {
    name: 'AUTHCONN_KEK',
    default: 'none: the file kek in the data directory, made on the first start',
    description:
      'The key-encryption keys, apart by spaces or commas: the current one, then those before it. Each is 32 random bytes in base64, such as `openssl rand -base64 32` prints; `file:/PATH` of a key file; or a key in a key service: `aws-kms:KEY_ARN`, `gcp-kms:projects/…`, `azure-key-vault:https://…`, `vault-transit:https://…`. See docs/key-sources.md. Keep a copy of what is no service apart from the database: without it nothing can be read.',
  },
  {
    name: 'AUTHCONN_KEK_FILE',
    default: 'none',
    description: 'A file that holds what AUTHCONN_KEK would, such as a mounted secret.',
  },
  {
    name: 'AUTHCONN_GCP_KMS_ENDPOINT',
    default: 'https://cloudkms.googleapis.com',
    description: 'Where Google Cloud KMS is reached for gcp-kms keys, such as by Private Service Connect.',
  },
  {
    name: 'AUTHCONN_TRANSIT_TOKEN',
    default: 'none: an agent in between authenticates',
    description: 'The token for vault-transit keys, in HashiCorp Vault or OpenBao.',
  },
  {
    name: 'AUTHCONN_TRANSIT_TOKEN_FILE',
    default: 'none',
    description: 'A file that holds that token. Read at every use, so that an agent can keep it alive.',
  },
  {
    name: 'AUTHCONN_TRANSIT_LOGIN',
    default: 'none',
    description:
      'MOUNT:ROLE, such as kubernetes:authconn: in place of a token, a login by the Kubernetes or JWT method that is mounted there.',
  },
  {
    name: 'AUTHCONN_TRANSIT_JWT_FILE',
    default: "the token of the pod's service account",
    description: 'The file with the JWT for that login.',
  },
  {
    name: 'AUTHCONN_TRANSIT_NAMESPACE',
    default: 'none',
    description: 'The namespace of vault-transit keys.',
  },
  {
    name: 'AUTHCONN_AUTO_MIGRATE',
    default: 'true',
    description:
      'Whether start runs missing migrations. With false it refuses to start until `authconn-server migrate` has run.',
  },
  {
    name: 'AUTHCONN_ALLOWED_REDIRECT_URIS',
    default: 'none: loopback only',
    description: 'Exact redirect URIs, separated by commas, that are allowed besides http on loopback.',
  },
  {
    name: 'AUTHCONN_ALLOW_LOOPBACK_PROVIDERS',
    default: 'false',
    description: 'Lets the vault call providers on this machine, also without TLS. For development only.',
  },
  {
    name: 'AUTHCONN_PROVIDER_HOSTS',
    default: 'none: any host at a public address',
    description:
      'Host names and patterns (*.example.com, for the names below it), separated by commas: the vault calls providers at these and nowhere else.',
  },
  {
    name: 'HTTPS_PROXY',
    default: 'none',
    description:
      'http:// or https:// URL of a proxy by which providers are called, with user:password where it wants them; https_proxy counts as well, and first. The database, Redis, the trace collector and key services are reached without it, except for what the clients of Azure and Google send by it on their own. HTTP_PROXY has no meaning here: plain http never leaves the machine.',
  },
  {
    name: 'NO_PROXY',
    default: 'none',
    description:
      'Hosts that are called without the proxy, separated by commas: example.com and the names below it, host:port, or * for all. no_proxy counts as well, and first. Providers on this machine never go by the proxy.',
  },
  {
    name: 'AUTHCONN_PROXY_NAMES',
    default: 'vault',
    description:
      "vault: names of providers are resolved and checked here, and the proxy is asked for the address. proxy: it is asked for the name, for networks where only the proxy resolves names or allows no addresses; then only the proxy's own rules keep a name from leading to an internal address.",
  },
  {
    name: 'AUTHCONN_PROVIDER_TIMEOUT',
    default: '10',
    description: 'Seconds that one call to a provider may take in all, 1 to 60.',
  },
  {
    name: 'AUTHCONN_REFRESH_TIMEOUT',
    default: '20',
    description:
      'Seconds that a refresh may take at the provider, 1 to 120. Longer than other calls, since a provider that is given up may have replaced the refresh token all the same. Callers do not wait that long: see max_wait.',
  },
  {
    name: 'AUTHCONN_REFRESH_CONCURRENCY',
    default: '32',
    description:
      'Most refreshes ahead of expiry that this process does at a time, up to 1000; with 0 it refreshes only when somebody asks, and leaves the rest to other processes.',
  },
  {
    name: 'AUTHCONN_REFRESH_CONCURRENCY_PER_PROVIDER',
    default: '8',
    description: 'And of one provider, 1 to 1000.',
  },
  {
    name: 'AUTHCONN_REFRESH_UNUSED_DAYS',
    default: '30',
    description:
      'Days without a fetch after which a grant is refreshed when somebody asks, and otherwise only kept from dying of disuse; 0 to refresh all grants ahead.',
  },
  {
    name: 'AUTHCONN_EVENT_DAYS',
    default: '7',
    description: 'Days for which the events of grants are kept, 1 to 3650.',
  },
  {
    name: 'AUTHCONN_AUDIT_MONTHS',
    default: '12',
    description: 'Full months of audit records that are kept besides the current one, 1 to 1200.',
  },
  {
    name: 'AUTHCONN_TRUSTED_PROXIES',
    default: 'none',
    description:
      'Addresses and ranges (10.0.0.0/8), separated by commas, of the proxies in front of the vault: from these X-Forwarded-For says where a request came from, and from nobody else. Without it all that comes through a proxy counts as that address.',
  },
  {
    name: 'AUTHCONN_RATE_LIMIT',
    default: '10000',
    description:
      'Requests that one caller may make in 10 seconds of each vault process, or of all together with AUTHCONN_REDIS_URL; up to 999999999, 0 for no limit.',
  },
  {
    name: 'AUTHCONN_AUTH_FAILURE_LIMIT',
    default: '30',
    description:
      'Requests with API keys or OpenID Connect tokens that are not valid that one address may make in a minute before it is refused for the rest of it; up to 999999999, 0 for no limit. All addresses of an IPv6 /64 count as one.',
  },
  {
    name: 'AUTHCONN_EXCHANGE_LIMIT',
    default: '600',
    description:
      'Exchanges of OpenID Connect tokens and questions how to log in that one address may make in a minute, and keys that one trust may give in a minute; up to 999999999, 0 for no limit. All addresses of an IPv6 /64 count as one.',
  },
  {
    name: 'AUTHCONN_REDIS_URL',
    default: 'none: each process counts by itself',
    description:
      'redis://… or rediss://… of a Redis by which several vault processes count together for the limits. Nothing else is kept there, and the vault goes on without it.',
  },
  {
    name: 'AUTHCONN_REDIS_URL_FILE',
    default: 'none',
    description: 'A file that holds AUTHCONN_REDIS_URL, such as a mounted secret.',
  },
  {
    name: 'AUTHCONN_OTLP_ENDPOINT',
    default: 'none: no traces',
    description:
      'Base URL of an OpenTelemetry collector, such as http://127.0.0.1:4318, to send traces to by OTLP over HTTP (JSON).',
  },
  {
    name: 'AUTHCONN_TRACE_PERCENT',
    default: '100',
    description:
      'Of the requests that do not come with a trace already, the share that is traced, 0 to 100. A request with a traceparent is traced if that says so.',
  },
  {
    name: 'AUTHCONN_ALLOW_INSPECT',
    default: 'false',
    description:
      'Lets the vault start with a debugger, with heap snapshots or with other flags that bring its memory out. For development only.',
  },
  {
    name: 'AUTHCONN_SHUTDOWN_TIMEOUT',
    default: '25',
    description: 'Seconds that a stopping vault gives to what is in flight, 1 to 300.',
  },
  {
    name: 'AUTHCONN_LOG_LEVEL',
    flag: '--log-level <level>',
    default: 'info',
    description: 'trace, debug, info, warn, error, fatal or silent. Logs go to standard output as lines of JSON.',
  },
] as const satisfies readonly Setting[]

export type SettingName = (typeof settings)[number]['name']

/** Settings of the other programs, which are no mistake when the vault sees them. */
export const foreignSettings = [
  'AUTHCONN_URL',
  'AUTHCONN_API_KEY',
  'AUTHCONN_API_KEY_FILE',
  'AUTHCONN_ALLOW_INSECURE_HTTP',
  'AUTHCONN_DEBUG',
] as const
