# shellcheck shell=bash disable=SC2034,SC2154
# What ./run, ./test and .ci/run share: install what is missing, build with progress, fail in one
# sentence. Sourced by bash with `set -euo pipefail`; `root` is the checkout.

programs=(torchrelay-origin torchrelay-edge torchrelay-transcoder)

say() { printf '%s\n' "$*"; }

stop_with() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else stop_with "packages are missing and must be installed as root: $*"
  fi
}

# Names of packages of packages.txt that this machine lacks, a line each.
missing_packages() {
  local installed package command
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
  while read -r package command _; do
    case $package in '' | '#'*) continue ;; esac
    if [ -n "$command" ] && command -v "$command" >/dev/null; then continue; fi
    grep -qxF "$package" <<<"$installed" || say "$package"
  done <"$root/packages.txt"
}

install_packages() {
  local missing log
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  log=$(mktemp)
  if ! { as_root apt-get update -q &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "${missing[@]}"; } \
    >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    stop_with "apt-get could not install the packages above; the last lines say why"
  fi
  rm -f "$log"
}

# npm ci in a folder, when its lock changed since the last time.
install_node_modules() {
  local folder=$1 stamp=$1/node_modules/.installed
  if cmp -s "$folder/package-lock.json" "$stamp"; then return 0; fi
  say "installing npm packages of ${folder#"$root"/}"
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --prefix "$folder" >/dev/null ||
    stop_with "npm ci failed in ${folder#"$root"/}; the lines above say why"
  cp "$folder/package-lock.json" "$stamp"
}

# Prints a line each ten per cent and everything that is not progress (warnings, errors).
show_progress() {
  awk -v what="$1" -v next_percent=1 '
    /^@[ 0-9]+%/ {
      percent = substr($0, 2) + 0
      if (percent >= next_percent) {
        printf "building %s: %d %%\n", what, percent
        fflush()
        next_percent = percent - percent % 10 + 10
      }
      next
    }
    /^ninja: (no work to do|Entering directory)/ { next }
    /^(Re-checking globbed|-- )/ { next }
    { print; fflush() }'
}

configure() {
  local build=$1
  shift
  if [ -f "$build/build.ninja" ] && [ "$(cat "$build/.options" 2>/dev/null)" = "$*" ]; then return 0; fi
  mkdir -p "$build"
  cmake -S "$root" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 "$@" >"$build/configure.log" 2>&1 || {
    grep -A5 'CMake Error' "$build/configure.log" >&2 || tail -n 15 "$build/configure.log" >&2
    stop_with "CMake could not configure $(basename "$build"); the lines above say why"
  }
  say "$*" >"$build/.options"
}

# build_targets FOLDER TARGET...: one build of a folder at a time.
build_targets() {
  local build=$1
  shift
  (
    flock 8
    NINJA_STATUS='@%p ' ninja -C "$build" "$@" 2>&1 | show_progress "$(basename "$build")"
  ) 8>"$build/.lock" || stop_with "the build failed; the first error is above"
}

# Several files at once: most of a compiler's time goes into the headers that they share, and a first
# build takes a third of the time. Who changes the code configures a folder of his own without it.
batched=(-DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=8)

build_release() {
  configure "$root/build" -DCMAKE_BUILD_TYPE=Release "${batched[@]}"
  build_targets "$root/build" "$@"
}
