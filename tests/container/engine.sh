#!/bin/sh
# Runs a container engine of its own in the directory $1 until the standard input ends, and then removes
# whatever it has made, also when the tests were killed. A line on the standard input is a power cut:
# everything dies at once, and the engine starts again.
#
# It has namespaces of its own for processes, mounts and the network, so that nothing in them outlives it
# and another engine of this machine does not notice it. A pair of devices connects it with this machine.
set -u
directory=$1
name=ktrdr-tests
here=10.213.255.1
there=10.213.255.2
networks=10.213.0.0/17

# Says what this machine does with the packets of the engine: -A for adding, -D for deleting it.
rules() {
    iptables -t nat "$1" POSTROUTING -s "$there" ! -o "$name" -j MASQUERADE
    iptables "$1" FORWARD -i "$name" -j ACCEPT
    iptables "$1" FORWARD -o "$name" -j ACCEPT
}

inside() { nsenter --net="/run/netns/$name" "$@"; }

connect() {
    ip netns add "$name" || exit 1
    ip link add "$name" mtu "$mtu" type veth peer name outside mtu "$mtu" netns "$name"
    ip address add "$here/30" dev "$name"
    ip link set "$name" up
    ip route add "$networks" via "$there"
    inside ip link set lo up
    inside ip address add "$there/30" dev outside
    inside ip link set outside up
    inside ip route add default via "$here"
    # The tests also speak to containers that publish nothing.
    inside iptables -N DOCKER-USER
    inside iptables -A DOCKER-USER -i outside -j ACCEPT
    rules -A
}

start() {
    nsenter --net="/run/netns/$name" unshare --fork --pid --mount-proc --kill-child dockerd \
        --data-root "$directory/data" --exec-root "$directory/exec" \
        --pidfile "$directory/pid" --host "unix://$directory/socket" \
        --mtu "$mtu" --bip 10.213.127.1/24 --default-address-pool base=10.213.0.0/18,size=24 \
        --default-ulimit "nofile=1024:$(ulimit -Hn)" >>"$directory/log" 2>&1 </dev/null &
    engine=$!
}

stop() {
    kill -KILL "$engine"
    wait "$engine" 2>/dev/null
    # As after a start of the machine: process ids in these files would be those of others now.
    rm -rf "$directory/pid" "$directory/socket" "$directory/exec"
}

remove() {
    rules -D
    ip link delete "$name"
    ip netns delete "$name"
    sysctl -q -w "net.ipv4.ip_forward=$forwarding"
    # Mounts vanish with the last process of their namespace, a moment after the first.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf --one-file-system "$directory" 2>/dev/null && return
        sleep 1
    done
    echo "engine.sh: cannot remove $directory" >&2
}

trap '' INT TERM HUP
# Larger packets than the way out takes would be lost.
way_out=$(ip route show default | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -1)
mtu=$(cat "/sys/class/net/$way_out/mtu")
forwarding=$(cat /proc/sys/net/ipv4/ip_forward)
connect
sysctl -q -w net.ipv4.ip_forward=1
start
while read -r _; do
    stop
    start
done
stop
remove
