#!/bin/sh
# Runs a container engine of its own in the directory $1 until the standard input ends, and then removes
# whatever it has made, also when the tests were killed. A line on the standard input is a power cut:
# everything dies at once, and the engine starts again.
set -u
directory=$1
bridge=ktrdr-tests

rules() { iptables-save 2>/dev/null; }
networks() { ls /sys/class/net; }

start() {
    # In process and mount namespaces of its own no container and no mount can outlive it.
    unshare --fork --pid --mount-proc --kill-child dockerd \
        --data-root "$directory/data" --exec-root "$directory/exec" \
        --pidfile "$directory/pid" --host "unix://$directory/socket" \
        --bridge "$bridge" --default-address-pool base=10.213.0.0/17,size=24 \
        --default-ulimit "nofile=1024:$(ulimit -Hn)" >>"$directory/log" 2>&1 </dev/null &
    engine=$!
}

stop() {
    kill -KILL "$engine"
    wait "$engine" 2>/dev/null
    rm -f "$directory/pid" "$directory/socket"
}

remove() {
    for network in $(networks); do
        case " $networks_before " in *" $network "*) ;; *) ip link delete "$network" ;; esac
    done
    # Rules of another engine of this machine, if there is one, share chains with ours.
    case $rules_before in *DOCKER*) ;; *) printf '%s\n' "$rules_before" | iptables-restore ;; esac
    # Mounts vanish with the last process of their namespace, a moment after the first.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        rm -rf --one-file-system "$directory" 2>/dev/null && return
        sleep 1
    done
    echo "engine.sh: cannot remove $directory" >&2
}

trap '' INT TERM HUP
networks_before=$(networks | tr '\n' ' ')
rules_before=$(rules)
ip link add "$bridge" type bridge
ip address add 10.213.128.1/24 dev "$bridge"
ip link set "$bridge" up
start
while read -r _; do
    stop
    start
done
stop
remove
