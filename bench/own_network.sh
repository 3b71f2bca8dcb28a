# shellcheck shell=bash
# Sourced by benches that compare servers' CPU time.

# in_own_network COMMAND...: runs it in a network of its own, where we may choose the congestion
# control and all ports are free: BBR paces with a timer a packet, and the kernel charges the timers'
# work to whichever process happens to run then. A kernel may keep cubic to itself; on a loopback that
# loses nothing reno does the same. Without the right to make a network the command runs in this one.
# $network_mtu: what a packet holds (65,536, as loopback has it).
in_own_network() {
  if ! unshare --net ip link set lo up 2>/dev/null; then exec "$@"; fi
  exec unshare --net bash -c '
    ip link set lo up mtu "${network_mtu:-65536}"
    for control in cubic reno; do
      if echo "$control" 2>/dev/null >/proc/sys/net/ipv4/tcp_congestion_control; then break; fi
    done
    exec "$@"' own_network "$@"
}
