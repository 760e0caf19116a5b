#!/bin/bash
# User-mode Linux 5.10.46 (Debian 11, user-mode-linux 5.10um3+b1) opens no file of an overlay whose lower directory is on
# hostfs; 6.1.176 (Debian 12, 6.1um4+b13) does.
#
# Guess: overlayfs has taken any readable lower directory since 3.18, so a guest's read-only hostfs with a tmpfs above it
# gives the guest a writable copy of the host's directory.
#
# Seen on 5.10.46: mount(8) succeeds, readdir(3) and stat(2) show the host's files with their sizes, and new files can be
# written and read. Only open(2) of a file that is on hostfs fails, with ENOENT. So a look at the directory shows nothing
# wrong. On 6.1.176 the same file opens.
#
# Output: 5.10.46: size 6, text unread
#         6.1.176: size 6, text below
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
pool=http://deb.debian.org/debian/pool/main
fetch() { # PATH SHA256
  curl -fsS --max-time 300 -o "${1##*/}" "$pool/$1"
  echo "$2  ${1##*/}" | sha256sum -c --quiet
}
apt-get -q download busybox-static >/dev/null 2>&1
dpkg-deb -x busybox-static_*.deb root
echo below >"$place/file"

# The init of a guest, which sees this machine's files by hostfs. It can write only to its own memory.
cat >init <<'S'
#!/bin/sh
busybox=PLACE/root/bin/busybox
$busybox mount -t proc proc /proc
$busybox mount -t tmpfs none /run
mkdir /run/upper /run/work /run/merged
$busybox insmod PLACE/KERNEL/usr/lib/uml/modules/$($busybox uname -r)/kernel/fs/overlayfs/overlay.ko
$busybox mount -t overlay -o lowerdir=PLACE,upperdir=/run/upper,workdir=/run/work overlay /run/merged
size=$($busybox stat -c %s /run/merged/file)
text=$($busybox cat /run/merged/file 2>/dev/null) || text=unread
echo "seen $($busybox uname -r): size $size, text $text"
echo o >/proc/sysrq-trigger
sleep 60
S
boot() { # KERNEL
  sed "s,PLACE,$place,g; s,KERNEL,$1,g" init >"init.$1"
  chmod +x "init.$1"
  TMPDIR=$place timeout 60 "$1/usr/bin/linux.uml" rootfstype=hostfs rootflags=/ ro init="$place/init.$1" mem=256M quiet \
    con0=null,fd:1 con=null uml_dir="$place/" </dev/null 2>&1 | sed -n 's/\r//; s/^seen //p'
}

fetch u/user-mode-linux/user-mode-linux_5.10um3+b1_amd64.deb \
  2cf4c2b2b36272b0b42c973d1239b4e73ad24c53d1a041a227f28bbee9b7082b
fetch u/user-mode-linux/user-mode-linux_6.1um4+b13_amd64.deb \
  0ce700f835c385ab09860ad33137817402403a29e424177510244bd75a81c687
dpkg-deb -x user-mode-linux_5.10* old
dpkg-deb -x user-mode-linux_6.1* new
old=$(boot old) new=$(boot new)
echo "$old"
echo "$new"
[[ $old == "5.10.46: size 6, text unread" && $new == "6.1.176: size 6, text below" ]]
