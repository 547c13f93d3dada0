import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from './read-page.ts'

/**
 * The programs that the documentation names, in a directory for the PATH: ours as they are published, with somebody there who
 * opens the browser, types the key and presses Ctrl-C; and of others what answers in their place.
 */
export async function writePrograms(directory: string): Promise<void> {
  for (const [name, text] of Object.entries(programs)) {
    await writeFile(join(directory, name), `#!/usr/bin/env bash\nset -uo pipefail\n${text}`)
    await chmod(join(directory, name), 0o755)
  }
}

const node = `'${process.execPath}'`
const cli = `${node} '${join(root, 'packages/cli/dist/main.js')}'`
const server = `${node} '${join(root, 'packages/server/dist/main.js')}'`

/** Starts a program that goes on, and returns once it says those words; it is ended with the page. */
const untilItSays = (command: string, words: string) => `
log=$(mktemp)
${command} > "$log" 2>&1 < /dev/null &
echo $! >> "$DOCS_PIDS"
for _ in $(seq 1000); do
  grep -q '${words}' "$log" && exit 0
  kill -0 $! 2> /dev/null || break
  sleep 0.05
done
cat "$log" >&2
exit 1
`

const programs: Readonly<Record<string, string>> = {
  authconn: `
case " $* " in
  *' authorize '*--help*|*' help '*) exec ${cli} "$@" ;;
  *' --redirect-uri '*)
    # The browser ends on a page of somebody's own, and its address is pasted.
    pasted=$(mktemp -u); mkfifo "$pasted"; exec 4<> "$pasted" 3>&1
    ${cli} "$@" --paste 2>&1 >&3 < "$pasted" | while IFS= read -r line; do
      echo "$line" >&2
      case $line in https://*) curl --silent --output /dev/null --write-out '%{redirect_url}\\n' "$line" >&4 ;; esac
    done
    exit "\${PIPESTATUS[0]}" ;;
  *' authorize '*)
    case " $* " in *' --port '*|*' --device '*) ;; *) set -- "$@" --port "$DOCS_CALLBACK_PORT" ;; esac
    exec 3>&1
    ${cli} "$@" 2>&1 >&3 < /dev/null | while IFS= read -r line; do
      echo "$line" >&2
      case $line in https://*) curl --silent --show-error --location --output /dev/null "$line" >&2 ;; esac
    done
    exit "\${PIPESTATUS[0]}" ;;
  *' proxy '*)
    # It goes by no other proxy, and so finds what is played on this machine only.
    shopt -s extglob
    set -- "\${@/#https:\\/\\/+([!\\/])/https://localhost:$DOCS_UPSTREAM_PORT}"
    ${untilItSays(`${cli} "$@"`, 'Listening on')} ;;
  *' doctor '*)
    case " $* " in *' --port '*) ;; *) set -- "$@" --port "$DOCS_CALLBACK_PORT" ;; esac
    exec ${cli} "$@" ;;
  *' function '*)
    exec ${cli} "$@" --env HTTPS_PROXY --env NODE_USE_ENV_PROXY --env NODE_EXTRA_CA_CERTS ;;
  *' --watch '*|*' --follow '*)
    timeout --signal=INT --preserve-status 2 ${cli} "$@" < /dev/null
    code=$?; [ $code = 130 ] && exit 0; exit $code ;;
  *' login '*)
    [ -p /dev/stdin ] && exec ${cli} "$@"
    printf %s "$DOCS_KEY" | ${cli} "$@" ;;
  *) exec ${cli} "$@" ;;
esac
`,
  // Serves until it is asked to stop, which is at once.
  'authconn-server': `
case " $* " in
  *' start '*)
    log=$(mktemp)
    # One of several on the database: what it leaves for this machine is not to be found by the command line.
    own=$(mktemp -d); cp "$AUTHCONN_DATA_DIR/kek" "$own" 2> /dev/null
    AUTHCONN_PORT=0 AUTHCONN_DATA_DIR=$own ${server} "$@" > "$log" 2>&1 &
    for _ in $(seq 1000); do
      if grep -q '"msg":"listening"' "$log"; then kill $!; wait $!; exit $?; fi
      kill -0 $! 2> /dev/null || break
      sleep 0.05
    done
    cat "$log" >&2; exit 1 ;;
  *) exec ${server} "$@" ;;
esac
`,
  npx: `[ "$1" = --yes ] && shift
name=\${1%@*}; shift
exec "$name" "$@"
`,
  npm: `
[ "$1" = run ] && shift
[ "$1" = -s ] && shift
name=$1; shift
[ "\${1:-}" = -- ] && shift
case $name in authconn|authconn-server) exec $name "$@" ;; *) echo "npm $name is not for here" >&2; exit 1 ;; esac
`,
  pass: 'printf %s "$DOCS_KEY"\n',
  gh: `case "$1 $2" in 'secret set') cat > "$3.secret" && [ -s "$3.secret" ] ;; 'api repos'*) echo 456789 ;; *) exit 1 ;; esac\n`,
}
