#!/bin/bash
# iproute2 6.1.0 (Debian 12, iproute2 6.1.0-3): "ip link add a type veth" does not add a link named a.
#
# Guess: the word after "ip link add" that is no keyword is the name, so a pair can be called a and b as in any textbook
# picture; at worst a name that is spelled like a whole keyword ("address") needs "name" or "dev" before it.
#
# Seen: any beginning of a keyword is that keyword, down to one letter. a means address, b broadcast, m master, t
# txqueuelen; c and e mean nothing and work. The words of the complaint name the next argument ("type" is invalid
# lladdr). If that argument does fit, no complaint comes: "ip link add a 02:00:00:00:00:01 type veth" adds veth0.
# "ip link show a" and "ip netns add a" take a for a name. Write "ip link add dev a" (or name a).
#
# Output: add a: "type" is invalid lladdr.
#         add b: "type" is invalid lladdr.
#         add c: added
#         add dev a: added
#         add a 02:00:00:00:00:01: added, no a, but veth0
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download iproute2=6.1.0-3 libbpf1=1:1.1.2-0+deb12u1 libmnl0=1.0.4-3 libelf1=0.188-2.1 >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
LD_LIBRARY_PATH=$(echo "$place"/root/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
cat >inside.sh <<'S'
ip=root/bin/ip
add() { $ip link add "$@" type veth peer name other 2>&1 && echo added; $ip link del dev other 2>/dev/null || true; }
for words in a b c "dev a"; do
  # shellcheck disable=SC2086 # two words
  echo "add $words: $(add $words)"
done
$ip link add a 02:00:00:00:00:01 type veth peer name other && echo -n "add a 02:00:00:00:00:01: added, "
$ip link show dev a >/dev/null 2>&1 || echo -n "no a, but "
$ip -o link show dev veth0 | grep -q 02:00:00:00:00:01 && echo veth0
S
seen=$(timeout 60 unshare -Urn bash -e inside.sh)
echo "$seen"
[[ $seen == 'add a: "type" is invalid lladdr.
add b: "type" is invalid lladdr.
add c: added
add dev a: added
add a 02:00:00:00:00:01: added, no a, but veth0' ]]
