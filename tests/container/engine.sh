#!/bin/sh
# Runs container engine number $1 until the standard input ends, and then removes whatever it has made,
# also when the tests were killed. If it is killed itself, the next one with its number removes that. It
# waits $2 seconds for another one with its number to end. It prints "started" when it can be used. A line
# on the standard input is a power cut: everything dies at once, and the engine starts again.
#
# It has namespaces of its own for processes, mounts and the network, so that nothing in them outlives it
# and other engines of this machine do not notice it. A pair of devices connects it with this machine.
set -u
number=$1
name=ktrdr-tests-$number
directory=/var/tmp/ktrdr-engine-$number
here=10.213.255.$((4 * number + 1))
there=10.213.255.$((4 * number + 2))
networks=10.213.$((16 * number)).0
bridge=10.213.$((16 * number + 15)).1
# What the engines know of each other.
shared=/run/ktrdr-tests

# Says what this machine does with the packets of the engine: -A for adding, -D for deleting it.
rules() {
    iptables -w -t nat "$1" POSTROUTING -s "$there" ! -o "$name" -j MASQUERADE &&
        iptables -w "$1" FORWARD -i "$name" -j ACCEPT &&
        iptables -w "$1" FORWARD -o "$name" -j ACCEPT
}

inside() { nsenter --net="/run/netns/$name" "$@"; }

# The first engine makes a router of this machine, and the last one gives back what it was before.
enter() {
    flock 9
    [ -e "$shared/forwarding" ] || cat /proc/sys/net/ipv4/ip_forward >"$shared/forwarding"
    sysctl -q -w net.ipv4.ip_forward=1 && ip netns add "$name"
} 9>"$shared/lock"

leave() {
    flock 9
    ip netns delete "$name"
    ls -d /run/netns/ktrdr-tests-* >/dev/null 2>&1 && return
    sysctl -q -w "net.ipv4.ip_forward=$(cat "$shared/forwarding")" && rm "$shared/forwarding"
} 9>"$shared/lock"

# The containers of an engine would share what the processor has for one session of this machine.
weigh() {
    cpu=/sys/fs/cgroup/cpu
    if [ -d "$cpu" ]; then
        mkdir "$cpu/$name" && echo 8192 >"$cpu/$name/cpu.shares"
    else
        mkdir "/sys/fs/cgroup/$name" && echo 800 >"/sys/fs/cgroup/$name/cpu.weight"
    fi
}

connect() {
    # Larger packets than the way out takes would be lost.
    way_out=$(ip route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -1)
    mtu=$(cat "/sys/class/net/$way_out/mtu") &&
        ip link add "$name" mtu "$mtu" type veth peer name outside mtu "$mtu" netns "$name" &&
        ip address add "$here/30" dev "$name" &&
        ip link set "$name" up &&
        ip route add "$networks/20" via "$there" &&
        inside ip link set lo up &&
        inside ip address add "$there/30" dev outside &&
        inside ip link set outside up &&
        inside ip route add default via "$here" &&
        # The tests also speak to containers that publish nothing.
        inside iptables -N DOCKER-USER &&
        inside iptables -A DOCKER-USER -i outside -j ACCEPT &&
        rules -A
}

start() {
    # No function, so that its process is the one to kill.
    nsenter --net="/run/netns/$name" unshare --fork --pid --mount-proc --kill-child dockerd \
        --data-root "$directory/data" --exec-root "$directory/exec" \
        --pidfile "$directory/pid" --host "unix://$directory/socket" \
        --mtu "$mtu" --bip "$bridge/24" --default-address-pool "base=$networks/21,size=24" \
        --default-ulimit "nofile=1024:$(ulimit -Hn)" \
        --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$name" \
        >>"$directory/log" 2>&1 </dev/null 8>&- &
    engine=$!
    looks=0
    until docker --host "unix://$directory/socket" version >/dev/null 2>&1; do
        looks=$((looks + 1))
        kill -0 "$engine" 2>/dev/null && [ "$looks" -lt 600 ] ||
            give_up "$(tail -n 20 "$directory/log")"
        sleep 0.2
    done
    echo started
}

# Everything dies with the first process of its namespace, a moment later.
kill_all() {
    while pids=$(ip netns pids "$name") && [ -n "$pids" ]; do
        # shellcheck disable=SC2086
        kill -KILL $pids
        sleep 0.1
    done
}

stop() {
    kill_all
    wait "$engine" 2>/dev/null
    # As after a start of the machine: process ids in these files would be those of others now.
    rm -rf "$directory/pid" "$directory/socket" "$directory/exec"
}

remove() {
    kill_all
    rules -D
    ip link delete "$name"
    leave
    find /sys/fs/cgroup -depth -type d -path "*/$name*" -exec rmdir {} \;
    # Where each file that is removed tells the disk so, one after the other takes minutes.
    find "$directory" -mindepth 3 -maxdepth 3 -print0 | xargs -0 -r -n 1 -P 8 rm -rf
    # Mounts vanish with the last process of their namespace, or a moment later.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf --one-file-system "$directory" && return
        sleep 1
    done
    return 1
}

give_up() {
    echo "engine.sh: $1" >&2
    remove 2>/dev/null
    exit 1
}

serve() {
    trap '' INT TERM HUP
    mkdir -p "$shared"
    exec 8>"$shared/lock-$number"
    flock --wait "$2" 8 || {
        echo "engine.sh: these tests already run on this machine, with engine $number" >&2
        exit 1
    }
    if [ -e "$directory" ] || [ -e "/run/netns/$name" ]; then
        remove 2>/dev/null
    fi
    { mkdir -m 700 "$directory" && enter && connect; } || give_up "cannot connect the engine"
    weigh 2>/dev/null
    start
    while read -r _; do
        stop
        start
    done
    stop
    remove
}

# In one line, because a shell reads on where it was, also if the file has changed meanwhile.
serve "$@"; exit
