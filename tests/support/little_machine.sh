#!/bin/sh
# Run in new namespaces by little_machine.py: makes them look like a machine of its own, and becomes its systemd.
set -eu
disk=$1

mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
for place in etc var; do
    mount -t overlay overlay -o "lowerdir=/$place,upperdir=$disk/$place,workdir=$disk/work-$place" "/$place"
done
mkdir -p "$disk/opened"
while test $# -gt 1; do  # folders that services' users may not enter on the host, though the tests' Python is in them
    shift
    name=$(echo "$1" | tr / _)
    mkdir -p "$disk/opened/$name" "$disk/opened/work-$name"
    mount -t overlay overlay -o "lowerdir=$1,upperdir=$disk/opened/$name,workdir=$disk/opened/work-$name" "$1"
    chmod a+x "$1"
done
mount --bind "$disk/units" /usr/lib/systemd/system
mount --bind "$disk/empty" /usr/lib/systemd/system-generators
mount --bind "$disk/shared" /srv
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount --bind /dev/null /dev/console
mount --bind /dev/null /dev/kmsg
mount --make-rshared /  # or LoadCredential= does not work

if ! test -e /etc/little-machine; then
    rm -rf /etc/systemd/system /var/lib/systemd/linger
    mkdir -p /etc/systemd/system
    touch /etc/little-machine
fi
hostname little
exec env -i PATH="$PATH" container=duotest /lib/systemd/systemd --system --show-status=no --log-target=journal
