#!/usr/bin/env bash
# Does a new clone on a bare machine work with the README's two commands, and how long do they take?
#
#   tests/fresh_clone.sh                 on a machine made by debootstrap: Debian bookworm with git, python3,
#                                        python3-venv and ca-certificates, nothing else (needs root and mounts)
#   tests/fresh_clone.sh --here          on this machine, with empty caches and an own data directory
#   options: --uncommitted   with the changes of the working tree that no commit holds yet
#            --no-test       only the demo
#
# Prints one line of JSON: cold_s and warm_s until the demo's page answers, test_s of `run.py test`.
# Exit code: 0 all well, 1 something failed or took longer than the limits below, 2 usage, 3 no such machine here.
set -euo pipefail

COLD_LIMIT_S=180
WARM_LIMIT_S=10
TEST_TIMEOUT_S=1500

repo=$(cd "$(dirname "$0")/.." && pwd)
say() { echo "fresh clone: $*" >&2; }

# ---------------------------------------------------------------------------------------------- options

machine=debian uncommitted= tests=yes
for option in "$@"; do
  case "$option" in
    --here) machine=here ;;
    --uncommitted) uncommitted=yes ;;
    --no-test) tests= ;;
    *) sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done

# --------------------------------------------------------------------- a folder, and a namespace around it

# The outer half makes and removes the folder; the inner half mounts and starts. Its mounts and processes live in
# namespaces of their own, so whatever happens they are gone before the folder is removed.
if [ -z "${FRESH_CLONE_FOLDER:-}" ]; then
  export FRESH_CLONE_FOLDER
  FRESH_CLONE_FOLDER=$(mktemp -d)
  trap 'rm -rf --one-file-system "$FRESH_CLONE_FOLDER"' EXIT
  isolate=()
  if [ "$machine" = debian ]; then
    [ "$(id -u)" = 0 ] || { say "only root can make a bare machine; use --here"; exit 3; }
    isolate=(unshare --mount --pid --fork --kill-child)
    "${isolate[@]}" true || { say "mounting is not allowed on this machine; use --here"; exit 3; }
    if ! command -v debootstrap >/dev/null; then
      say "installing debootstrap"
      { apt-get update -qq && apt-get install -y -qq --no-install-recommends debootstrap; } >&2 ||
        { say "debootstrap is missing; use --here"; exit 3; }
    fi
  fi
  code=0
  "${isolate[@]}" bash "$0" "$@" || code=$?
  exit "$code"
fi
folder=$FRESH_CLONE_FOLDER

# ------------------------------------------------------------------------------------------- the machine

# Settings of this machine's package managers, by name only: where packages come from is the machine's matter.
settings=()
while IFS='=' read -r -d '' name value; do
  if [[ $name =~ ^(PIP|UV|NPM_CONFIG|npm_config)_ || $name =~ ^(https?|no|all|HTTPS?|NO|ALL)_(proxy|PROXY)$ ||
        $name =~ ^(SSL_CERT|REQUESTS_CA|CURL_CA|GIT_SSL|NODE_EXTRA_CA) ]]; then
    settings+=("$name=$value")
  fi
done < <(env -0)

bootstrap() {
  local mirror
  mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 2>/dev/null | awk '$1 == "bookworm" {print $2; exit}')
  say "making a bare machine (debootstrap)"
  debootstrap --variant=minbase --include=git,python3,python3-venv,ca-certificates \
    bookworm "$root" ${mirror:+"$mirror"} >"$folder/debootstrap.log" 2>&1 ||
    { tail -5 "$folder/debootstrap.log" >&2; exit 3; }

  mount -t proc proc /proc # of this namespace's processes
  mount --rbind /proc "$root/proc"
  mount --rbind /sys "$root/sys"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs tmpfs "$root/dev/shm"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  apt-config dump | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/90-of-the-host" || true

  local file
  for file in /etc/pip.conf /etc/npmrc /etc/uv "$HOME/.config/pip" "$HOME/.pip" "$HOME/.config/uv" "$HOME/.npmrc"; do
    [ -e "$file" ] || continue
    local there=$root${file/#$HOME//root}
    mkdir -p "$(dirname "$there")"
    cp -aL "$file" "$there"
  done
  # Certificates, and package folders of this machine that those settings name.
  if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  fi
  { python3 -m pip config list 2>/dev/null || true; printf '%s\n' "${settings[@]}"; } |
    grep -oE "(^|[=' ]|file://)/[^' ]+" | sed -E "s#^([=' ]|file://)##" | sort -u |
    while read -r file; do
      if [ -d "$file" ] && [ ! -e "$root$file" ]; then
        mkdir -p "$root$file"
        mount --rbind -o ro "$file" "$root$file"
      elif [ -f "$file" ] && [ ! -e "$root$file" ]; then
        mkdir -p "$(dirname "$root$file")"
        cp -L "$file" "$root$file"
      fi
    done
}

# on_machine FOLDER COMMAND...: run it there, with nothing of this shell's environment but those settings.
# All of it is `exec`, so that the process id of the call is that of the command.
on_machine() {
  local where=$1
  shift
  if [ "$machine" = debian ]; then
    exec chroot "$root" /usr/bin/env -i "${settings[@]}" HOME=/root LANG=C.UTF-8 TERM=dumb \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin CI=1 \
      /bin/bash -c 'cd "$1" && shift && exec "$@"' - "$where" "$@"
  fi
  cd "$where"
  exec env CI=1 XDG_CACHE_HOME="$folder/cache" XDG_DATA_HOME="$folder/share" PIP_CACHE_DIR="$folder/cache/pip" \
    UV_CACHE_DIR="$folder/cache/uv" npm_config_cache="$folder/cache/npm" "$@"
}

if [ "$machine" = debian ]; then
  root=$folder/machine
  checkout=/regatta
  bootstrap
  mkdir -p "$root/clone-from"
  mount --bind -o ro "$repo" "$root/clone-from"
  from=/clone-from
  reach=$root$checkout
else
  checkout=$folder/regatta
  from=$repo
  reach=$checkout
fi

say "cloning"
# The clone is made by the machine's own git; whose the folder is does not matter for reading it once.
(on_machine / git -c safe.directory='*' clone -q --no-local "file://$from" "$checkout") >&2
commit=$(git -C "$repo" rev-parse --short HEAD)
if [ -n "$uncommitted" ]; then
  commit="$commit+"
  (cd "$repo" && git ls-files -z --deleted) | (cd "$reach" && xargs -0r rm -f --)
  (cd "$repo" && git ls-files -z --modified --others --exclude-standard |
    while IFS= read -r -d '' file; do [ -f "$file" ] && printf '%s\0' "$file"; done || true) |
    tar -C "$repo" --null -T - -cf - | tar -C "$reach" --no-same-owner -xf -
fi

# --------------------------------------------------------------------------------------------- the times

# seconds_until_the_page_answers PORT PID: print them, or fail when the process has ended or ten minutes are over.
seconds_until_the_page_answers() {
  python3 - "$1" "$2" <<'PYTHON'
import os, sys, time, urllib.request

begin = time.monotonic()
url, pid = f"http://127.0.0.1:{sys.argv[1]}/", int(sys.argv[2])
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
while time.monotonic() - begin < 600:
    try:
        with opener.open(url, timeout=5) as answer:
            if b'id="app"' in answer.read():
                print(f"{time.monotonic() - begin:.1f}")
                sys.exit(0)
            sys.exit("the page is not the dashboard")
    except OSError:
        pass
    try:
        with open(f"/proc/{pid}/stat") as file:
            if file.read().rpartition(")")[2].split()[0] == "Z":
                sys.exit("the demo has ended")
    except FileNotFoundError:
        sys.exit("the demo has ended")
    time.sleep(0.05)
sys.exit("the page does not answer")
PYTHON
}

# demo_answers NAME: start the demo, wait for its page, end it in order; set `seconds`.
demo_answers() {
  local port pid log=$folder/demo-$1.log code=0
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  say "demo, $1"
  (on_machine "$checkout" python3 run.py demo --no-browser --port "$port") >"$log" 2>&1 </dev/null &
  pid=$!
  seconds=$(seconds_until_the_page_answers "$port" "$pid") || code=1
  kill -TERM "$pid" 2>/dev/null || true
  wait "$pid" || { say "the demo ended with exit code $?"; code=1; }
  if [ "$code" != 0 ]; then
    tail -30 "$log" >&2
    exit 1
  fi
}

demo_answers cold
cold_s=$seconds
demo_answers warm
warm_s=$seconds

test_s=null result=0
if [ -n "$tests" ]; then
  say "tests"
  begin=$(date +%s)
  (on_machine "$checkout" timeout -k 30 "$TEST_TIMEOUT_S" python3 run.py test) >"$folder/test.log" 2>&1 </dev/null || result=1
  test_s=$(($(date +%s) - begin))
  if [ "$result" = 0 ]; then tail -3 "$folder/test.log" >&2; else { grep -E '^(E  |FAILED|ERROR)' "$folder/test.log" | head -60; tail -30 "$folder/test.log"; } >&2; fi
fi

printf '{"machine": "%s", "commit": "%s", "cold_s": %s, "warm_s": %s, "test_s": %s, "tests_passed": %s}\n' \
  "$machine" "$commit" "$cold_s" "$warm_s" "$test_s" \
  "$(if [ -z "$tests" ]; then echo null; elif [ "$result" = 0 ]; then echo true; else echo false; fi)"
python3 - "$cold_s" "$COLD_LIMIT_S" "$warm_s" "$WARM_LIMIT_S" <<'PYTHON' || result=1
import sys

cold, cold_limit, warm, warm_limit = map(float, sys.argv[1:])
if cold > cold_limit or warm > warm_limit:
    sys.exit(f"too slow: the limits are {cold_limit:.0f} s cold and {warm_limit:.0f} s warm")
PYTHON
exit "$result"
