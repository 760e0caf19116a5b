#!/bin/bash
# user-mode-linux (Debian 12, 6.1um4+b13): root of a guest whose root file system is the host's
# (hostfs) cannot mount by mount(8) if the guest was started in a user namespace that does not map the host's root.
#
# Guess: init of the guest has user 0, so mount(8), losetup(8), su(1) and their like do in it whatever root may do,
# whoever started the guest, and wherever.
#
# Seen: hostfs shows a file's owner and set-user-ID bit as stat(2) on the host has them. In the user namespace the
# files of root belong to the overflow user, 65534. So guest's root executes mount(8), which is set-user-ID, and
# becomes user 65534 by it: "must be superuser to use mount". The same guest started outside of the namespace mounts.
# A mount that has no such bit (busybox) works in both.
#
# Output: outside: mount(8) 0, busybox 0
#         in a user namespace: mount(8) refused, busybox 0
set -euo pipefail

VERSION=6.1um4+b13
BUSYBOX=1:1.35.0-4+deb12u1+b1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
apt-get -q download "user-mode-linux=$VERSION" "busybox-static=$BUSYBOX" >/dev/null 2>&1
for package in *.deb; do dpkg-deb -x "$package" root; done
cat >init <<S
#!/bin/bash
b=$place/root/bin/busybox
\$b mount -t proc proc /proc && by_busybox=0 || by_busybox=refused
mount -t tmpfs none /mnt && by_mount=0 || by_mount=refused
echo "SEEN mount(8) \$by_mount, busybox \$by_busybox"
\$b sync
\$b mount -t proc proc /proc
echo o >/proc/sysrq-trigger
sleep 20
S
chmod 755 init . && chmod -R a+rX root
guest() {
  TMPDIR=$place timeout 60 "$@" root/usr/bin/linux.uml rootfstype=hostfs rootflags=/ ro init="$place/init" mem=128M quiet \
    con0=null,fd:1 con=null uml_dir="$place/" </dev/null 2>/dev/null | tr -d '\r' | sed -n 's/^.*SEEN //p'
}
seen="outside: $(guest env)
in a user namespace: $(guest unshare --user --map-user=1000 --map-group=1000)"
echo "$seen"
